// SPDX-License-Identifier: MIT
/* What the pages do when the server misbehaves, with the mock playing the accidents: lost lines, drains, refused
 * streams, hidden tabs, long lists. */

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { openPage, startBrowser, whyNoBrowser } from './browser.mjs';
import { MockServer } from './mock/server.mjs';

const missing = whyNoBrowser();
if (missing) console.error(`\nSKIPPED, the accidents were not played: ${missing}\n`);
const options = { skip: missing ?? false };
const SPEED = 4;
const ROWS = 500;

let browser;
let server;
let user;
let page;

before(async () => {
  if (!missing) browser = await startBrowser();
});
after(() => browser?.close());
afterEach(async () => {
  await user?.context.close();
  await server?.close();
  user = server = undefined;
});

const accident = (name, body = {}) => fetch(`${server.url}/mock/${name}`, { method: 'POST', body: JSON.stringify(body) });

async function signIn(speed = SPEED) {
  server = new MockServer({ speed });
  await server.listen();
  user = await openPage(browser, server.url, process.env.FS_SHOTS);
  page = user.page;
  await page.goto(server.newSignInLink());
  await page.locator('[data-connection="live"]').waitFor();
}

async function createProject(name) {
  await page.goto(`${server.url}/projects/new`);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Create project' }).click();
  await page.locator('[data-stage="database"][data-status="in_progress"]').waitFor();
}

/** Counts the streams that the page asks for from here on. */
function countStreams() {
  const asked = [];
  page.on('request', (request) => {
    if (request.url().includes('/api/events')) asked.push(new URL(request.url()).searchParams.get('after'));
  });
  return asked;
}

async function stopProject() {
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByRole('button', { name: 'Stop environment' }).click();
}

test('a stop that fails is told as such, also after a reload, and can be asked for again', options, async () => {
  await signIn();
  await createProject('stuck shop');
  await page.locator('[data-view-status="running"]').waitFor();
  await stopProject();
  await page.getByRole('alert').getByText('Stop failed.').waitFor();
  for (const isAgain of [false, true]) {
    if (isAgain) await page.reload();
    await page.getByRole('heading', { name: 'The environment was not stopped' }).waitFor();
    await page.getByRole('heading', { name: 'Stop failed' }).waitFor();
    await page.getByRole('button', { name: 'Start', exact: true }).waitFor();
    assert.equal(await page.locator('[data-stage]').count(), 0, 'the stages of the creation had no part in it');
    assert.equal(await page.getByRole('button', { name: 'Retry' }).count(), 0);
  }
  await user.inspect('stop-failed');
  await page.getByRole('button', { name: 'Stop again' }).click();
  await page.getByRole('button', { name: 'Stop environment' }).click();
  await page.locator('[data-view-status="stopped"]').waitFor();
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  assert.deepEqual(user.faults, []);
});

test('what broke after it was ready is no failed creation, and a restart mends it', options, async () => {
  await signIn();
  await createProject('drift shop');
  await page.getByRole('heading', { name: 'The environment needs a look' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Restart' }).count(), 1);
  assert.equal(await page.locator('[data-stage]').count(), 0, 'stages say done of what does not run');
  await user.inspect('drift');
  await page.getByRole('button', { name: 'Restart' }).click();
  await page.getByRole('button', { name: 'Restart environment' }).click();
  await page.locator('[data-view-status="running"]').waitFor();
});

test('what was asked for can be turned: a start of what is being stopped, a stop of what is being started', options, async () => {
  await signIn();
  await createProject('slow shop');
  await page.evaluate(() => fetch(location.pathname.replace('/projects/', '/api/sandbox/'), { method: 'DELETE' }));
  await page.locator('[data-view-status="terminated"]').waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByRole('heading', { name: 'Stop the database?' }).waitFor();
  await user.inspect('stop-database');
  await page.getByRole('button', { name: 'Stop database' }).click();
  await page.locator('[data-view-status="stopping"]').waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.locator('[data-view-status="starting"]').waitFor();
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  await stopProject();
  await page.locator('[data-view-status="stopped"]').waitFor();
  assert.equal(await page.locator('[data-stage]').count(), 0, 'stages that will not go on are shown');
  assert.deepEqual(user.faults, []);
});

test('a line that is cut in a creation is found again, and the creation is seen to its end without a reload', options, async () => {
  await signIn();
  await createProject('shop');
  const asked = countStreams();
  await accident('cut');
  await page.locator('[data-connection-notice]').waitFor();
  await page.locator('[data-view-status="running"]').waitFor();
  await page.locator('[data-connection="live"]').waitFor();
  assert.ok(asked.length >= 1 && asked.every((seq) => Number(seq) > 0), `resumed after ${asked}`);
  assert.deepEqual(user.faults, []);
});

test('a drain moves the page to the next server without a word of it', options, async () => {
  await signIn();
  // Streams that end at once are not reopened at once; this one has to be older than that.
  await createProject('slow shop');
  await page.locator('[data-stage="container"] .time', { hasText: '3 s' }).waitFor();
  await page.evaluate(() => {
    globalThis.noticed = 0;
    new MutationObserver(() => (globalThis.noticed += document.querySelector('[data-connection-notice]') ? 1 : 0)).observe(document.body, { subtree: true, childList: true });
  });
  const reopened = page.waitForRequest((request) => request.url().includes('/api/events'));
  await accident('bye');
  await reopened;
  await page.locator('[data-stage="database"][data-status="completed"]').waitFor();
  assert.equal(await page.evaluate(() => globalThis.noticed), 0);
});

test('a server that refuses streams is waited for, with the seconds to the next try and a way to try now', options, async () => {
  await signIn();
  await accident('streams-down', { ms: 60_000 });
  await page.locator('[data-connection-notice]').getByText(/Reconnecting in \d+ s/).waitFor();
  await user.inspect('waiting');
  await accident('streams-down', { ms: 0 });
  await page.getByRole('button', { name: 'Reconnect now' }).click();
  await page.locator('[data-connection="live"]').waitFor();
  await page.locator('[data-connection-notice]').waitFor({ state: 'detached' });
});

test('a tab has one stream, none while it is hidden, and resumes where it was', options, async () => {
  await signIn();
  await createProject('shop');
  await page.locator('[data-view-status="running"]').waitFor();
  assert.equal(server.streams, 1);
  const hide = (state) => page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
  const closed = page.waitForEvent('requestfailed', (request) => request.url().includes('/api/events'));
  await hide('hidden');
  await closed;
  const asked = countStreams();
  await hide('visible');
  await page.locator('[data-connection="live"]').waitFor();
  assert.equal(asked.length, 1);
  assert.ok(Number(asked[0]) > 10, `resumed after ${asked[0]}`);
});

test('a session that the server ended is told by the stream itself', options, async () => {
  await signIn();
  await accident('end-sessions');
  await page.getByRole('heading', { name: 'Signed out, sign in again' }).waitFor();
});

test(`${ROWS} projects are all in the page, and searching them shows the matches only`, options, async () => {
  await signIn();
  await accident('fill', { count: ROWS });
  await page.reload();
  await page.locator('.row').nth(ROWS - 1).waitFor({ state: 'attached' });
  await page.keyboard.press('/');
  await page.keyboard.type('harbour 500');
  await page.locator('.row').nth(1).waitFor({ state: 'detached' });
  assert.deepEqual(await page.locator('.row-name > a').allTextContents(), ['harbour 500']);
});
