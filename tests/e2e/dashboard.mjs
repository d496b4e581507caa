// SPDX-License-Identifier: MIT
/* More projects than one page of the list, the time limits of one, and a repair that failed, in a real browser against a real
 * server. Run by tests/wire/accounts/browser.py, which makes the projects and breaks one.
 *
 *   FS_URL      address of the server
 *   FS_LINKS    a one-time sign-in link
 *   FS_BROKEN   id of a project whose network access cannot be repaired
 *   FS_SHOTS    folder for screenshots (none without it) */

import assert from 'node:assert/strict';
import { beginStory, button, heading, page, step, user } from './story.mjs';

const { FS_URL, FS_LINKS, FS_BROKEN, FS_SHOTS } = process.env;
const REPAIR_LIMIT_MS = 60_000;
beginStory({ name: 'long lists, limits and repairs were not seen', url: FS_URL, shots: FS_SHOTS });

const rows = () => page.locator('.row').count();
const limit = (name) => page.locator(`[data-limit="${name}"]`);
const more = () => page.locator('[data-more]');

step('a list longer than a page says so', async () => {
  await page.goto(FS_LINKS);
  await heading('Projects').waitFor();
  await more().getByText('100 projects are read').waitFor();
  assert.equal(await rows(), 100);
  assert.equal(await page.getByRole('link', { name: 'shop 215', exact: true }).count(), 0);
  await more().scrollIntoViewIfNeeded();
  await user.inspect('projects-more');
});

step('a search finds what was not read', async () => {
  await page.getByLabel('Search projects').fill('shop 215');
  await page.getByRole('link', { name: 'shop 215', exact: true }).waitFor();
  assert.equal(await rows(), 1);
  await page.getByLabel('Search projects').fill('no such shop');
  await page.getByText('No project matches.').waitFor();
  await page.reload();
  await page.getByText('No project matches.').waitFor();
  await page.getByLabel('Search projects').fill('shop 214');
  await page.reload();
  await page.getByRole('link', { name: 'shop 214', exact: true }).waitFor();
  await user.inspect('projects-search');
  await page.getByLabel('Search projects').fill('');
});

step('every project is seen in the end', async () => {
  await button('Show more').click();
  await more().getByText('200 projects are read').waitFor();
  await button('Show more').click();
  await more().waitFor({ state: 'detached' });
  assert.equal(await rows(), 221);
  await page.getByRole('link', { name: 'shop 220', exact: true }).waitFor();
});

step('the limits in force are told with who has set them, and a project has its own', async () => {
  await page.getByRole('link', { name: 'shop 1', exact: true }).click();
  await limit('idleStopSeconds').getByText('2 h, set by the server').waitFor();
  await limit('maxAgeSeconds').getByText('never, set by the server').waitFor();
  await button('Change the limits').click();
  const dialog = page.getByRole('dialog');
  const choices = [dialog.getByLabel('Stops when unused for'), dialog.getByLabel('Stops at the latest after')];
  await choices[0].selectOption('own');
  await dialog.getByRole('button', { name: 'Store', exact: true }).click();
  await dialog.getByText('Say how many minutes').waitFor();
  await dialog.getByLabel('Minutes').fill('0.5');
  await dialog.getByRole('button', { name: 'Store', exact: true }).click();
  await dialog.locator('.field-error').getByText('from 1 to 527040').waitFor();
  await user.inspect('limits-refused');
  await dialog.getByLabel('Minutes').fill('90');
  await choices[1].selectOption('own');
  await dialog.getByLabel('Minutes').nth(1).fill('1440');
  await dialog.getByRole('button', { name: 'Store', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await limit('idleStopSeconds').getByText('1 h 30 min, set for this project').waitFor();
  await limit('maxAgeSeconds').getByText('1 d, set for this project').waitFor();
  await page.reload();
  await limit('idleStopSeconds').getByText('1 h 30 min, set for this project').waitFor();
  await user.inspect('limits');
  await button('Change the limits').click();
  assert.equal(await dialog.getByLabel('Minutes').first().inputValue(), '90');
  await choices[0].selectOption('server');
  await dialog.getByRole('button', { name: 'Store', exact: true }).click();
  await limit('idleStopSeconds').getByText('2 h, set by the server').waitFor();
});

step('a repair that failed names the part, and what can be done', async () => {
  await page.goto(`${FS_URL}/projects/${FS_BROKEN}`);
  await heading('The network access could not be repaired').waitFor({ timeout: REPAIR_LIMIT_MS });
  await heading('The environment was not repaired').waitFor();
  await page.locator('[data-failure="FORBIDDEN"]').getByText('What to do:').waitFor();
  await button('Repair now').waitFor();
  assert.equal(await button('Retry').count(), 0);
  await user.inspect('repair-failed');
});
