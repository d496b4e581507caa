// SPDX-License-Identifier: MIT
/* The variables of a project, and how they reach its sandbox, in a real browser against a real server. Run by
 * tests/wire/accounts/browser.py.
 *
 *   FS_URL      address of the server
 *   FS_LINKS    a one-time sign-in link
 *   FS_SHOTS    folder for screenshots (none without it) */

import assert from 'node:assert/strict';
import { beginStory, button, heading, page, step, user } from './story.mjs';

const { FS_URL, FS_LINKS, FS_SHOTS } = process.env;
const RESTART_LIMIT_MS = 60_000;
const SECRET = 'sk-live-of-the-shop';
beginStory({ name: "a project's variables were not set", url: FS_URL, shots: FS_SHOTS });

const variable = (key) => page.locator(`[data-variable="${key}"]`);
const form = (title) => page.locator('section', { has: heading(title) });
const effect = (status) => page.locator(`[data-effect="${status}"]`).waitFor({ timeout: RESTART_LIMIT_MS });
const attempt = () => page.evaluate(async () => (await (await fetch(location.pathname.replace(/projects(.*)\/environment/, 'api/sandbox$1'))).json()).attempt);

step('a project leads to its variables, of which there are none', async () => {
  await page.goto(FS_LINKS);
  await heading('Projects').waitFor();
  await page.keyboard.press('n');
  await page.getByLabel('Name').fill('shop');
  await button('Create project').click();
  await page.locator('[data-view-status="running"]').waitFor({ timeout: RESTART_LIMIT_MS });
  await page.getByRole('link', { name: 'Environment variables', exact: true }).click();
  await heading('Environment variables').waitFor();
  await page.getByText('None is set.').waitFor();
  await effect('running');
  await user.inspect('variables-none');
});

step('a name that can be none is refused next to its field', async () => {
  const add = form('Set a variable');
  await add.getByLabel('Name').fill('1st');
  await button('Set variable').click();
  await add.locator('.field-error').waitFor();
  assert.equal(await add.getByLabel('Name').getAttribute('aria-invalid'), 'true');
  await page.waitForFunction(() => document.activeElement.id === 'key');
  await user.inspect('variables-refused');
});

step('a variable that is set restarts a running sandbox, which is shown', async () => {
  assert.equal(await attempt(), 1);
  const add = form('Set a variable');
  await add.getByLabel('Name').fill('COLOUR');
  await add.getByLabel('Value', { exact: true }).fill('blue');
  await button('Set variable').click();
  await variable('COLOUR').getByText('blue').waitFor();
  await effect('starting');
  await user.inspect('variables-restart');
  await effect('running');
  assert.equal(await attempt(), 2);
});

step('a secret is hidden until its owner asks for it', async () => {
  const add = form('Set a variable');
  await add.getByLabel('Name').fill('STRIPE_KEY');
  await add.getByLabel('Value', { exact: true }).fill(SECRET);
  await add.getByLabel('Category').selectOption('payment');
  await add.getByLabel(/^Secret/).check();
  await button('Set variable').click();
  await variable('STRIPE_KEY').getByText('hidden').waitFor();
  await page.reload();
  await variable('STRIPE_KEY').getByText('hidden').waitFor();
  assert.ok(!(await page.content()).includes(SECRET));
  await button('Show STRIPE_KEY').click();
  await variable('STRIPE_KEY').getByText(SECRET).waitFor();
  await button('Hide STRIPE_KEY').click();
  await variable('STRIPE_KEY').getByText('hidden').waitFor();
});

step('the text of a file is set at once, and takes nothing away', async () => {
  const paste = form('Paste an .env file');
  await paste.getByLabel('Its text').fill('A=1\nnonsense');
  await button('Set all').click();
  await paste.getByText('Line 2 is no NAME=value.').waitFor();
  await paste.getByLabel('Its text').fill('# of the shop\nexport PORT=3000\nGREETING="hello # you"\n');
  await paste.getByText('2 found').waitFor();
  await paste.getByLabel(/^Secret/).uncheck();
  // Another tab sets one of the same category while this request is on its way; this page does not know it.
  let isOther = false;
  await page.route('**/environment', async (route) => {
    if (route.request().method() === 'POST' && !isOther) {
      isOther = true;
      const body = JSON.stringify({ key: 'OTHER_TAB', value: 'kept' });
      const answer = await page.request.post(route.request().url(), { headers: { 'Content-Type': 'application/json' }, data: body });
      assert.equal(answer.status(), 200);
    }
    await route.continue();
  });
  await button('Set all').click();
  await variable('OTHER_TAB').getByText('kept').waitFor();
  await page.unroute('**/environment');
  await variable('GREETING').getByText('hello # you').waitFor();
  await variable('PORT').getByText('3000').waitFor();
  await variable('COLOUR').getByText('blue').waitFor();
  await variable('STRIPE_KEY').waitFor();
  await user.inspect('variables');
});

step('one is changed and one is deleted', async () => {
  await button('Change COLOUR').click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByLabel('Value', { exact: true }).inputValue(), 'blue');
  await dialog.getByLabel('Value', { exact: true }).fill('green');
  await user.inspect('variable-change');
  await dialog.getByRole('button', { name: 'Store', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await variable('COLOUR').getByText('green').waitFor();
  await button('Delete STRIPE_KEY').click();
  await user.inspect('variable-delete');
  await dialog.getByRole('button', { name: 'Delete variable', exact: true }).click();
  await variable('STRIPE_KEY').waitFor({ state: 'detached' });
  await effect('running');
});
