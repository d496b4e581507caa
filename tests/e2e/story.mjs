// SPDX-License-Identifier: MIT
/* What every story of one user in one browser needs: steps that follow each other, the first that fails ends the run, with
 * a picture. No step waits for a time, only for what is shown. The exports are bound once the story has begun. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, whyNoBrowser } from './browser.mjs';

const PAGE_LIMIT_MS = 15_000;
/** Why no browser can run here; null when one can. */
export const missing = whyNoBrowser();

export let browser;
export let user;
export let page;
let isFault;
let hasFailed = false;

/** name: what is skipped where no browser can run; shots: folder for screenshots; isAllowed: a fault that is none here. */
export function beginStory({ name, url, shots, isAllowed = () => false }) {
  if (missing) console.error(`\nSKIPPED, ${name}: ${missing}\n`);
  isFault = (fault) => !isAllowed(fault);
  before(async () => {
    if (missing) return;
    browser = await startBrowser();
    user = await openPage(browser, url, shots);
    page = user.page;
    page.setDefaultTimeout(PAGE_LIMIT_MS);
  });
  after(() => browser?.close());
}

export function step(name, work, options = {}) {
  test(name, { skip: missing ?? options.skip ?? false }, async (t) => {
    if (hasFailed) return t.skip('an earlier step failed');
    hasFailed = true;
    try {
      await work();
    } catch (error) {
      await user.inspect('at-failure').catch(() => {});
      throw error;
    }
    assert.deepEqual(user.faults.splice(0).filter(isFault), []);
    hasFailed = false;
  });
}

export const button = (name) => page.getByRole('button', { name, exact: true });
export const heading = (name) => page.getByRole('heading', { name, exact: true });
