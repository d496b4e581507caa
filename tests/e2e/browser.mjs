// SPDX-License-Identifier: MIT
/* A browser for the journey: Debian's chromium, empty profile, no calls home. Records what no page may do (script
 * errors, broken policy, requests to other hosts) and looks at a screen in both themes and two widths. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.FS_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const WIDTHS = [1200, 360];
const HEIGHT = 800;
const NODE_NEEDED = 18;

/** Why no browser can run here; null when one can. */
export function whyNoBrowser() {
  if (Number(process.versions.node.split('.')[0]) < NODE_NEEDED) return `Node ${NODE_NEEDED} or later is needed, this is ${process.version}`;
  return existsSync(CHROMIUM) ? null : `${CHROMIUM} is missing: install the package chromium, or name one in FS_CHROMIUM`;
}

export function startBrowser() {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** Opens a page of a fresh profile. faults collects what must stay empty. */
export async function openPage(browser, baseUrl, shotsFolder) {
  const context = await browser.newContext({ viewport: { width: WIDTHS[0], height: HEIGHT }, reducedMotion: 'reduce', colorScheme: 'light' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(baseUrl).origin });
  await context.addInitScript(recordStages);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(`script error: ${error.message}`));
  page.on('console', (message) => {
    // A lost line and a refused call are also written to the console, by the browser itself; the pages must cope with them.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== new URL(baseUrl).origin) faults.push(`request to ${url.origin}`);
  });
  return { context, page, faults, inspect: (name) => inspect(page, name, shotsFolder) };
}

/** Runs in the page: writes each state that a stage was shown in to the session's storage, so that it outlives a reload. */
function recordStages() {
  const KEY = 'e2e.stages';
  const shown = new Map();
  const look = () => {
    for (const row of document.querySelectorAll('[data-stage]')) {
      const { stage, status } = row.dataset;
      const key = `${location.pathname} ${stage}`;
      if (shown.get(key) === status) continue;
      shown.set(key, status);
      const all = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
      sessionStorage.setItem(KEY, JSON.stringify([...all, { path: location.pathname, stage, status }]));
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-status'] });
}

/** The states that the stages of this page were shown in, in the order of their appearance. */
export function shownStages(page) {
  return page.evaluate(() => JSON.parse(sessionStorage.getItem('e2e.stages') ?? '[]').filter((e) => e.path === location.pathname));
}

/** Screenshots, no sideways scroll, and not one violation, light and dark, wide and narrow. */
async function inspect(page, name, shotsFolder) {
  await page.evaluate(AXE);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      if (shotsFolder) {
        mkdirSync(shotsFolder, { recursive: true });
        await page.screenshot({ path: join(shotsFolder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      }
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(overhang <= 0, `${name} scrolls sideways by ${overhang} px at ${width} px`);
      const violations = await page.evaluate(async (tags) => {
        const found = await globalThis.axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
        return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(' ')} (${n.failureSummary})`).join('; ')}`);
      }, RULES);
      assert.deepEqual(violations, [], `${name} at ${width} px, ${colorScheme}`);
    }
  }
  await page.setViewportSize({ width: WIDTHS[0], height: HEIGHT });
  await page.emulateMedia({ colorScheme: 'light' });
}
