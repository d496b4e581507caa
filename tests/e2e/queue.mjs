// SPDX-License-Identifier: MIT
/* A creation that waits for its turn, in a real browser against a real server that makes one at a time. Run by
 * tests/wire/accounts/browser.py.
 *
 *   FS_URL      address of the server
 *   FS_LINKS    a one-time sign-in link
 *   FS_SHOTS    folder for screenshots (none without it) */

import assert from 'node:assert/strict';
import { beginStory, button, heading, page, step, user } from './story.mjs';

const { FS_URL, FS_LINKS, FS_SHOTS } = process.env;
const CREATION_LIMIT_MS = 60_000;
beginStory({ name: 'nobody was seen waiting', url: FS_URL, shots: FS_SHOTS });

const place = (position) => page.locator(`[data-queue-position="${position}"]`);
const row = (name) => page.locator('.row', { has: page.getByRole('link', { name, exact: true }) });

/** By the API, as another program of this user would. */
const call = (method, path, body) =>
  page.evaluate(async ([how, where, what]) => {
    const init = { method: how, headers: { 'Content-Type': 'application/json' }, ...(what && { body: JSON.stringify(what) }) };
    const answer = await fetch(where, init);
    return { status: answer.status, body: await answer.json() };
  }, [method, path, body]);

async function create(name) {
  const made = await call('POST', '/api/projects', { name });
  assert.equal((await call('POST', `/api/sandbox/${made.body.id}`, {})).status, 202);
  return made.body.id;
}

let first;
let second;
step('what comes third is told its place and how long that may last', async () => {
  await page.goto(FS_LINKS);
  await heading('Projects').waitFor();
  // Its database never comes up: it is under way until it is cancelled.
  first = await create('kbnever-first');
  second = await create('second');
  await create('third');
  await row('third').getByText('In the queue').waitFor();
  await row('second').getByText('In the queue').waitFor();
  assert.equal(await row('kbnever-first').getByText('In the queue').count(), 0);
  await user.inspect('projects-queued');
  await page.getByRole('link', { name: 'third', exact: true }).click();
  await heading('Waiting for its turn').waitFor();
  await place(2).getByText('Position 2 in the queue.').waitFor();
  assert.match(await page.locator('[data-queue-estimate]').textContent(), /^(less than a minute|about \d.*|not known yet)$/);
  assert.equal(await page.locator('[data-stage][data-status="pending"]').count(), 5);
  assert.equal(await page.locator('.total').count(), 0, 'a clock of the creation runs before it has begun');
  await button('Cancel creation').waitFor();
  await user.inspect('queued');
});

step('a reload shows the same place', async () => {
  await page.reload();
  await place(2).waitFor();
  await page.locator('[data-connection="live"]').waitFor();
});

step('it moves up before the eyes of who waits, and is said', async () => {
  assert.equal((await call('DELETE', `/api/sandbox/${second}`)).status, 202);
  await place(1).getByText('Next in the queue.').waitFor();
  await page.getByRole('status').getByText('Waiting for its turn, position 1 in the queue.').waitFor();
});

step('it begins when its turn has come, and ends ready', async () => {
  assert.equal((await call('DELETE', `/api/sandbox/${first}`)).status, 202);
  await page.locator('[data-queue-position]').waitFor({ state: 'detached', timeout: CREATION_LIMIT_MS });
  await page.locator('[data-view-status="running"]').waitFor({ timeout: CREATION_LIMIT_MS });
  await page.locator('.total').waitFor();
});
