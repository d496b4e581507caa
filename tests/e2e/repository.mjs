// SPDX-License-Identifier: MIT
/* A project and its repository at GitHub, in a real browser against a real server and a stand-in for GitHub. Run by
 * tests/wire/accounts/browser.py, which puts the repositories there that are spoken of here.
 *
 *   FS_URL      address of the server
 *   FS_GITHUB   address of the stand-in, whose user always says yes
 *   FS_SHOTS    folder for screenshots (none without it) */

import assert from 'node:assert/strict';
import { beginStory, button, heading, page, step, user } from './story.mjs';

const { FS_URL, FS_GITHUB, FS_SHOTS } = process.env;
const READY_LIMIT_MS = 60_000;
/** The dashboard asks again by itself where it was not told how it ended. */
const AGAIN_LIMIT_MS = 30_000;
const isAllowed = (fault) => fault === `request to ${FS_GITHUB}` || /the server responded with a status of (4\d\d|50[34])/.test(fault);
beginStory({ name: 'no repository was connected', url: FS_URL, shots: FS_SHOTS, isAllowed });

const card = () => page.locator('section', { has: heading('Repository at GitHub') });
const connected = (name) => page.locator(`[data-repository="${name}"]`);
const manner = (word) => card().getByLabel('What to do').selectOption({ label: word });
const name = (text) => card().getByLabel('Its name').fill(text);

step('a new project has none, and says how it gets one', async () => {
  await page.goto(`${FS_URL}/projects`);
  await button('Sign in with GitHub').click();
  await heading('Projects').waitFor();
  await page.keyboard.press('n');
  await page.getByLabel('Name').fill('engine');
  await button('Create project').click();
  await page.locator('[data-view-status="running"]').waitFor({ timeout: READY_LIMIT_MS });
  await card().getByText('You have to be able to see it at GitHub.').waitFor();
  await user.inspect('repository-none');
});

step('who is about to type a name is offered those there are', async () => {
  const offered = card().locator('datalist option');
  assert.equal(await offered.count(), 0);
  await card().getByLabel('Its name').focus();
  await card().locator('datalist option[value="ada/latter"]').waitFor({ state: 'attached' });
  await card().locator('datalist option[value="ada/revoked"]').waitFor({ state: 'attached' });
  assert.equal(await card().getByLabel('Its name').getAttribute('list'), await card().locator('datalist').getAttribute('id'));
  await manner('Make a new one, private');
  assert.equal(await card().getByLabel('Its name').getAttribute('list'), null);
  await manner('Connect one that is there');
});

step('what is no name is refused next to its field, and what is not there is told', async () => {
  await name('engine');
  await button('Connect').click();
  await card().locator('.field-error').getByText('username/repository').waitFor();
  assert.equal(await card().getByLabel('Its name').getAttribute('aria-invalid'), 'true');
  await name('ada/nothing');
  await button('Connect').click();
  await card().getByText('there is no such repository').waitFor();
  await user.inspect('repository-missing');
});

step('one that was renamed is connected under the name it has', async () => {
  await name('ada/former');
  await button('Connect').click();
  await connected('ada/latter').getByText('Public, as GitHub told').waitFor();
  assert.equal(await connected('ada/latter').getByRole('link').getAttribute('href'), `${FS_GITHUB}/ada/latter`);
  await page.reload();
  await connected('ada/latter').waitFor();
  await user.inspect('repository-connected');
});

step('it is disconnected, and another one is made', async () => {
  await button('Disconnect').click();
  await manner('Make a new one, private');
  await name('ada/latter');
  await button('Make and connect').click();
  await card().getByText('connect it instead').waitFor();
  await name('brand-new');
  await button('Make and connect').click();
  await connected('ada/brand-new').getByText('Private, as GitHub told').waitFor();
});

step('one whose making was cut off is told, and finished', async () => {
  await button('Disconnect').click();
  await manner('Make a new one, private');
  await name('cut-off');
  await button('Make and connect').click();
  await page.locator('[data-pending="ada/cut-off"]').waitFor({ timeout: AGAIN_LIMIT_MS });
  await button('Finish it').waitFor({ timeout: AGAIN_LIMIT_MS });
  await user.inspect('repository-pending');
  await button('Finish it').click();
  await connected('ada/cut-off').waitFor({ timeout: AGAIN_LIMIT_MS });
});

step('a sign-in that GitHub no longer takes is made again, and leads back', async () => {
  await button('Disconnect').click();
  await name('ada/revoked');
  await button('Connect').click();
  await user.inspect('repository-sign-in');
  await button('Sign in with GitHub again').click();
  await page.waitForURL(/\/projects\/[^/]+$/);
  await heading('engine').waitFor();
  await name('ada/revoked');
  await button('Connect').click();
  await connected('ada/revoked').waitFor();
});
