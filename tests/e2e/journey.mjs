// SPDX-License-Identifier: MIT
/* One user's way through the dashboard, in a real browser against a running server.
 *
 *   node journey.mjs LINK [LINK2]     one-time sign-in links; the second one is used to come back after a session ended
 *
 *   FS_SIGNIN_URL   the same links, separated by blanks, in place of arguments
 *   FS_URL          address of the server (default: that of the first link)
 *   FS_SHOTS        folder for screenshots (none without it)
 *   FS_FAIL_NAME    name of the project whose first creation fails (default "fail image")
 *   FS_FAIL_ENV     variables, as JSON, that make its sandbox fail; they are sent by a call of the API (none without it)
 *   FS_FAIL_OFF     command that ends the failing, run before Retry
 *   FS_SLOW_NAME    name of the project that is cancelled while it is being created (default "slow ledger")
 *   FS_PACE_URL     a POST to it brings the next event of the first creation (without it a cluster's own pace)
 *
 * The steps need each other. */

import assert from 'node:assert/strict';
import { execSync } from 'node:child_process';
import { openPage, shownStages } from './browser.mjs';
import { beginStory, browser, button, heading, missing, page, step, user } from './story.mjs';

const { FS_SHOTS, FS_FAIL_ENV, FS_FAIL_OFF, FS_PACE_URL } = process.env;
const [, , ...given] = process.argv;
const [signInLink, secondLink] = given.length > 0 ? given : (process.env.FS_SIGNIN_URL ?? '').split(/\s+/).filter(Boolean);
const FS_URL = process.env.FS_URL ?? (signInLink && new URL(signInLink).origin);
const FAIL_NAME = process.env.FS_FAIL_NAME ?? 'fail image';
const SLOW_NAME = process.env.FS_SLOW_NAME ?? 'slow ledger';
const GOOD_NAME = 'corner shop';
/** For what a cluster does; a page answers far sooner. */
const CREATION_LIMIT_MS = 120_000;
const FAR_TOO_LONG = 500;
const LASTING_S = 2;
const STAGE_TITLES = ['Database Creation', 'Container Provisioning', 'Network Configuration', 'Terminal Initialization', 'Environment Ready'];
const RANK = { pending: 0, in_progress: 1, completed: 2, failed: 2, skipped: 2 };

if (!missing && !signInLink) throw new Error('a sign-in link is needed; "npm test" runs against the mock');
beginStory({ name: 'the browser journey did not run', url: FS_URL, shots: FS_SHOTS });

const link = (name) => page.getByRole('link', { name, exact: true });
const stage = (id, status) => page.locator(`[data-stage="${id}"][data-status="${status}"]`);
const viewStatus = (status, timeout = CREATION_LIMIT_MS) => page.locator(`[data-view-status="${status}"]`).waitFor({ timeout });
const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

/** A move inside the site, so that the page keeps its state. */
async function goToProjects() {
  await page.locator('.brand').click();
  await heading('Projects').waitFor();
}

async function createProject(name) {
  await goToProjects();
  await page.keyboard.press('n');
  await page.getByLabel('Name').fill(name);
  await button('Create project').click();
  await heading(name).waitFor();
}

/** Creates the sandbox by a call of the API; the page that is open has to notice. */
async function createElsewhere(name, envVars) {
  await goToProjects();
  await page.keyboard.press('n');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel(/^Create its sandbox at once/).uncheck();
  await button('Create project').click();
  await button('Create sandbox').waitFor();
  await user.inspect('not-created');
  const status = await page.evaluate(async (env) => {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ envVars: env }) };
    return (await fetch(location.pathname.replace('/projects/', '/api/sandbox/'), init)).status;
  }, envVars);
  assert.equal(status, 202);
}

/** Brings the next event; null when there is none left. */
async function nextEvent() {
  return (await fetch(FS_PACE_URL, { method: 'POST' })).json();
}

/** Brings one event after the other and waits until each is shown. Returns the stages that were begun. */
async function goThroughStages(begun = []) {
  for (;;) {
    const told = await nextEvent();
    if (told === null) break;
    if (told.event !== 'stage') continue;
    await stage(told.stage, told.status).waitFor();
    if (!begun.includes(told.stage)) begun.push(told.stage);
    if (told.stage !== 'ready') assert.equal(await addressLinksWhileCreating(), 0, 'an address is a link before it is ready');
  }
  await viewStatus('running');
  assert.equal(begun.length, STAGE_TITLES.length);
  return begun;
}

/** Confirms the dialog that asks; the focus is not lost with it, nor with the button that opened it. */
async function confirm(name) {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await focusOnHeading();
}

const focusOnHeading = () => page.waitForFunction(() => document.activeElement.tagName === 'H1');

/** The browser takes a frame or two to give the focus back. */
const focusOn = (text) => page.waitForFunction((wanted) => document.activeElement.textContent === wanted, text);

async function seeStopped() {
  if (FS_PACE_URL) {
    await heading('Stopping the environment').waitFor();
    assert.equal(await page.locator('[data-stage]').count(), 0, 'stages of a creation are shown of what is being stopped');
    await user.inspect('stopping');
    for (let told = await nextEvent(); told?.event === 'status'; told = await nextEvent()) {
      await page.locator('[data-words]').getByText(told.message).waitFor();
    }
  }
  await viewStatus('stopped');
}

/** Until it runs, whether a cluster or the test sets the pace. */
async function seeStarted() {
  if (FS_PACE_URL) {
    await heading('Starting the environment, 0 of 5 done').waitFor();
    await button('Stop').waitFor();
    assert.equal(await button('Cancel creation').count(), 0);
    await nextEvent();
    await user.inspect('starting');
    await goThroughStages(['database']);
  }
  await viewStatus('running');
}

/** Waits for the cluster. Returns the stages that took long enough to be shown in progress even by a browser that is held up:
 * what begins and ends between two looks of a page that opened late was never in progress there. */
async function watchStages() {
  assert.equal(await addressLinksWhileCreating(), 0, 'an address is a link before it is ready');
  await viewStatus('running');
  const times = await page.locator('[data-stage]').evaluateAll((rows) => rows.map((row) => [row.dataset.stage, row.querySelector('.time').textContent]));
  const lasting = times.filter(([, time]) => /^\d/.test(time) && parseFloat(time) >= LASTING_S).map(([id]) => id);
  assert.ok(lasting.length >= 2, `stages that took time: ${times}`);
  return lasting;
}

/** How many addresses are links, told in one look with the state that makes it true; 0 once the creation is over. */
function addressLinksWhileCreating() {
  return page.evaluate(() => (document.querySelector('[data-view-status="creating"], [data-view-status="starting"]') ? document.querySelectorAll('[data-address] a').length : 0));
}

step('the first page explains the one-time link', async () => {
  await page.goto(FS_URL);
  await heading('Sign in').waitFor();
  await user.inspect('sign-in');
});

step('the link signs in, and its token leaves the address and the history', async () => {
  await page.goto(signInLink);
  await heading('Projects').waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/projects');
  await page.locator('.empty, .rows').first().waitFor();
  await page.locator('[data-connection="live"]').waitFor();
  await user.inspect('projects-first');
});

step('a link works once', async () => {
  const other = await openPage(browser, FS_URL, FS_SHOTS);
  await other.page.goto(signInLink);
  await other.page.getByRole('heading', { name: 'This link was used before or has expired' }).waitFor();
  await other.inspect('link-used');
  await other.context.close();
});

step('a project without a name is refused next to the field', async () => {
  await page.keyboard.press('n');
  await heading('New project').waitFor();
  await button('Create project').click();
  await page.getByText('Give the project a name.').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'name');
  await user.inspect('new-project');
  await page.getByLabel('Name').fill('x'.repeat(FAR_TOO_LONG));
  await page.getByText('Give the project a name.').waitFor();
  await button('Create project').click();
  await page.locator('.field-error').getByText(/^(?!Give)/).waitFor();
  assert.equal(await page.getByLabel('Name').getAttribute('aria-invalid'), 'true');
});

step('a cluster is asked for only where there is more than one', async () => {
  const clusters = await page.evaluate(async () => (await fetch('/api/clusters')).json());
  const field = page.getByLabel('Cluster');
  assert.equal(await field.count(), clusters.length > 1 ? 1 : 0);
  if (clusters.length === 1) return;
  assert.equal(await field.inputValue(), clusters.find((c) => c.isDefault).name);
  await field.selectOption(clusters.find((c) => !c.isDefault).name);
  await user.inspect('new-project-cluster');
  await page.getByLabel('Name').fill('elsewhere');
  await page.getByLabel(/^Create its sandbox at once/).uncheck();
  await button('Create project').click();
  await heading('elsewhere').waitFor();
  const made = await page.evaluate(async () => (await fetch(location.pathname.replace('/projects/', '/api/projects/'))).json());
  assert.equal(made.cluster, clusters.find((c) => !c.isDefault).name);
  await goToProjects();
  await page.keyboard.press('n');
});

step('the five stages arrive one by one', async () => {
  await page.getByLabel('Name').fill(GOOD_NAME);
  await page.getByLabel('Description').fill('Till, stock and a small ledger');
  await button('Create project').click();
  await heading(GOOD_NAME).waitFor();
  await page.locator('[data-stage="ready"]').waitFor();
  assert.deepEqual(await page.locator('[data-stage] .stage-title > span:first-child').allTextContents(), STAGE_TITLES);
  const lasting = FS_PACE_URL ? await goThroughStages() : await watchStages();
  const shown = await shownStages(page);
  const moments = (status) => shown.filter((e) => e.status === status).map((e) => e.stage);
  const ids = await page.locator('[data-stage]').evaluateAll((rows) => rows.map((row) => row.dataset.stage));
  assert.deepEqual(moments('in_progress').filter((id) => lasting.includes(id)), lasting, 'each stage was shown in progress once, in order');
  assert.deepEqual(moments('completed'), ids, 'each stage was shown done once, in order');
  for (const id of lasting) {
    const at = (status) => shown.findIndex((e) => e.stage === id && e.status === status);
    assert.ok(at('in_progress') < at('completed'), `${id} was done before it began`);
  }
});

step('addresses are links with Open and Copy once the sandbox runs', async () => {
  assert.equal(await page.locator('[data-ready="yes"]').count(), 2);
  for (const id of ['terminal', 'app']) {
    const address = page.locator(`[data-address="${id}"]`);
    const href = await address.getByRole('link', { name: /^Open/ }).getAttribute('href');
    assert.match(href, /^https?:\/\//);
    await address.getByRole('button').click();
    await address.getByText('Copied').waitFor();
    assert.equal(new URL(await clipboard()).href, new URL(href).href);
  }
  await page.getByRole('status').getByText('Copied').waitFor();
  await user.inspect('ready');
});

const addresses = () => page.locator('[data-address] a').evaluateAll((links) => links.map((a) => a.href));
let addressesBefore;

step('stopping says what ends and what stays, and is told until it has stopped', async () => {
  addressesBefore = await addresses();
  await button('Stop').click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('[data-fate="goes"]').getByText('Terminal sessions').waitFor();
  await dialog.locator('[data-fate="stays"]').getByText('database').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Keep it running');
  await user.inspect('stop');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await focusOn('Stop');
  await button('Stop').click();
  await confirm('Stop environment');
  await seeStopped();
  await heading('The environment is stopped').waitFor();
  await page.getByRole('status').getByText('The environment is stopped. Its data is kept.').waitFor();
  assert.equal(await page.locator('[data-stage]').count(), 0, 'stages of a creation are shown of what is stopped');
  assert.equal(await page.locator('[data-address] a').count(), 0, 'an address is a link while nothing runs');
  for (const name of ['Stop', 'Restart']) assert.equal(await button(name).count(), 0, `${name} is offered of what is stopped`);
  await user.inspect('stopped');
});

step('what is stopped reads the same after a reload, and has a filter of its own in the list', async () => {
  await page.reload();
  await heading('The environment is stopped').waitFor();
  await goToProjects();
  await page.getByRole('button', { name: /^Stopped/ }).click();
  await page.locator('.row', { has: link(GOOD_NAME) }).locator('[data-sandbox-status="stopped"]').waitFor();
  await user.inspect('projects-stopped');
  await link(GOOD_NAME).click();
  await heading('The environment is stopped').waitFor();
});

step('starting it brings back the same addresses', async () => {
  await button('Start').press('Enter');
  await focusOnHeading();
  await seeStarted();
  await page.getByText('attempt 2', { exact: true }).waitFor();
  assert.deepEqual(await addresses(), addressesBefore);
});

step('restarting says what ends, and ends ready', async () => {
  await button('Restart').click();
  await page.getByRole('dialog').locator('[data-fate="stays"]').getByText('both addresses').waitFor();
  await user.inspect('restart');
  await confirm('Restart environment');
  await page.getByText('attempt 3', { exact: true }).waitFor();
  await seeStarted();
  assert.deepEqual(await addresses(), addressesBefore);
});

step('a reload in the middle of a creation keeps its state', async () => {
  await createProject(SLOW_NAME);
  await page.locator('[data-stage][data-status="in_progress"]').first().waitFor({ timeout: CREATION_LIMIT_MS });
  assert.equal(await page.locator('[aria-current="step"]').count(), 1);
  const read = () => page.locator('[data-stage]').evaluateAll((rows) => rows.map((row) => [row.dataset.stage, row.dataset.status]));
  const earlier = await read();
  await page.reload();
  await page.locator('[data-stage][data-status="in_progress"]').first().waitFor();
  const later = await read();
  assert.deepEqual(later.map(([id]) => id), earlier.map(([id]) => id));
  for (const [i, [id, status]] of later.entries()) assert.ok(RANK[status] >= RANK[earlier[i][1]], `${id} went back from ${earlier[i][1]} to ${status}`);
  await user.inspect('creating');
});

step('cancelling says what goes and what stays, and ends the creation', async () => {
  await button('Cancel creation').click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('[data-fate="stays"]').getByText('database').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Keep going');
  await user.inspect('cancel');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await focusOn('Cancel creation');
  await button('Cancel creation').click();
  await dialog.getByRole('button', { name: 'Cancel creation' }).click();
  await viewStatus('terminated');
  await heading('The creation was cancelled').waitFor();
  // The stream may tell the end before the answer to the cancel closes the dialog.
  await dialog.waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement.tagName === 'H1'); // the focus is not lost with its button
  await button('Create sandbox').waitFor();
  await user.inspect('cancelled');
});

step('a failure names its stage, cause and remedy, and can be handed on', async () => {
  await (FS_FAIL_ENV ? createElsewhere(FAIL_NAME, JSON.parse(FS_FAIL_ENV)) : createProject(FAIL_NAME));
  await viewStatus('error');
  const card = page.locator('[data-failure]');
  const code = await card.getAttribute('data-failure');
  assert.match(code, /^[A-Z_]+$/);
  assert.equal(await page.locator('[data-stage][data-status="failed"]').count(), 1);
  await card.getByText('What to do:').waitFor();
  await card.getByText(/· request/).waitFor();
  await card.getByRole('button', { name: /^Copy error/ }).click();
  await card.getByText('Copied').waitFor();
  const report = await clipboard();
  for (const line of [/^Stage: ./m, new RegExp(`^Code: ${code}$`, 'm'), /^Cause: ./m, /^Request: ./m]) assert.match(report, line);
  assert.equal(await page.locator('[data-address] a').count(), 0);
  await user.inspect('failed');
});

step('retry goes on and ends ready', async () => {
  if (FS_FAIL_OFF) execSync(FS_FAIL_OFF, { stdio: 'inherit' });
  // Variables that make it fail are taken back in the same call: there is no page to change them on.
  const mend = (route) => (route.request().method() === 'POST' ? route.continue({ postData: '{"envVars":{}}' }) : route.continue());
  if (FS_FAIL_ENV) await page.route('**/api/sandbox/*', mend);
  await button('Retry').click();
  await viewStatus('running');
  assert.equal(await page.locator('[data-failure]').count(), 0);
  assert.equal(await page.locator('[data-stage][data-status="failed"]').count(), 0);
  if (FS_FAIL_ENV) await page.unroute('**/api/sandbox/*', mend);
});

step('the list shows, finds and filters all three', async () => {
  await goToProjects();
  for (const name of [GOOD_NAME, SLOW_NAME, FAIL_NAME]) await link(name).waitFor();
  await user.inspect('projects');
  await page.keyboard.press('/');
  await page.keyboard.type('shop');
  await link(SLOW_NAME).waitFor({ state: 'detached' });
  assert.ok(page.url().endsWith('?q=shop'));
  await page.reload();
  await link(GOOD_NAME).waitFor();
  assert.equal(await page.locator('.row').count(), 1);
  await page.getByLabel('Search projects').fill('nothing of that name');
  await page.getByText('No project matches.').waitFor();
  await user.inspect('projects-none');
  await page.getByRole('button', { name: /^Show all/ }).click();
  await page.getByRole('button', { name: /^Running/ }).click();
  await link(SLOW_NAME).waitFor({ state: 'detached' });
});

step('help, account and theme are reached by keyboard', async () => {
  await goToProjects();
  await page.keyboard.press('?');
  await heading('Keyboard').waitFor();
  await user.inspect('help');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: /account of/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByLabel('Dark').waitFor();
  await user.inspect('account');
  await page.getByLabel('Dark').check();
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  assert.equal(await scheme(), 'dark');
  await page.reload();
  await heading('Projects').waitFor();
  assert.equal(await scheme(), 'dark');
  await page.getByRole('button', { name: /account of/ }).click();
  await page.getByLabel('System').check();
  assert.equal(await scheme(), 'light dark');
  await page.keyboard.press('Escape');
});

step('a lost line is told with the age of the state, and found again', async () => {
  await page.locator('[data-connection="live"]').waitFor();
  await user.context.setOffline(true);
  await page.locator('[data-connection-notice]').getByText('What you see is from').waitFor();
  await user.inspect('offline');
  await user.context.setOffline(false);
  await page.locator('[data-connection="live"]').waitFor();
  await page.locator('[data-connection-notice]').waitFor({ state: 'detached' });
});

step('deleting needs the typed name and says what happens to the database', async () => {
  await link(SLOW_NAME).click();
  await heading(SLOW_NAME).waitFor();
  await button('Delete project…').click();
  const dialog = page.getByRole('dialog');
  const confirm = dialog.getByRole('button', { name: 'Delete project' });
  await dialog.locator('[data-fate="stays"]').getByText('database').waitFor();
  assert.ok(await confirm.isDisabled());
  await dialog.getByLabel('Also delete the database').check();
  await dialog.locator('[data-fate="goes"]').getByText('database').waitFor();
  await dialog.getByLabel(/^Type/).fill(SLOW_NAME.slice(0, -1));
  assert.ok(await confirm.isDisabled());
  await user.inspect('delete');
  await dialog.getByLabel(/^Type/).fill(SLOW_NAME);
  await confirm.click();
  await heading('Projects').waitFor();
  await link(SLOW_NAME).waitFor({ state: 'detached', timeout: CREATION_LIMIT_MS });
  await link(GOOD_NAME).waitFor();
});

step('an address that is nothing says so', async () => {
  await page.goto(`${FS_URL}/projects/no-such-project`);
  await heading('There is no such project').waitFor();
  await page.goto(`${FS_URL}/no/such/page`);
  await heading('There is no such page').waitFor();
  await user.inspect('not-found');
});

step('a session that ended is told', async () => {
  await page.goto(`${FS_URL}/projects`);
  await link(GOOD_NAME).click();
  await viewStatus('running');
  await user.context.clearCookies();
  // The stream was opened with the session; coming back from offline asks the server again.
  await user.context.setOffline(true);
  await page.locator('[data-connection-notice]').waitFor();
  await user.context.setOffline(false);
  await heading('Signed out, sign in again').waitFor();
  await user.inspect('signed-out');
});

step('signing in again leads back to the same page', async () => {
  await page.goto(secondLink);
  await heading(GOOD_NAME).waitFor();
  await page.getByRole('button', { name: /account of/ }).click();
  await button('Sign out').click();
  await heading('You are signed out').waitFor();
}, { skip: secondLink ? false : 'only one link was given' });
