// SPDX-License-Identifier: MIT
/* Signing in with GitHub, the account page and the page for programs without a browser, in a real browser against a real
 * server. Run by tests/wire/accounts/browser.py, which starts the server and a stand-in for GitHub.
 *
 *   FS_URL      address of the server
 *   FS_GITHUB   address of the stand-in, whose user always says yes
 *   FS_LINKS    two one-time sign-in links of a local user, separated by a blank
 *   FS_SHOTS    folder for screenshots (none without it) */

import assert from 'node:assert/strict';
import { beginStory, button, heading, page, step, user } from './story.mjs';

const { FS_URL, FS_GITHUB, FS_LINKS, FS_SHOTS } = process.env;
const links = (FS_LINKS ?? '').split(' ');
// The only other host that a page may lead to.
const isAllowed = (fault) => fault === `request to ${FS_GITHUB}`;
beginStory({ name: "the account's pages were not opened", url: FS_URL, shots: FS_SHOTS, isAllowed });

async function call(method, path, body, token) {
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(FS_URL + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return { status: answer.status, body: await answer.json() };
}

async function goToAccount() {
  await page.locator('.avatar').click();
  await page.getByRole('link', { name: 'Sessions and API tokens' }).click();
  await heading('Account of Ada').waitFor();
}

step('a sign-in that was not begun here is told and leads nowhere', async () => {
  await page.goto(`${FS_URL}/api/auth/callback/github?code=x&state=y`);
  await page.getByText('Not signed in.').waitFor();
  assert.equal(new URL(page.url()).pathname, '/signin');
  await button('Sign in with GitHub').waitFor();
  await user.inspect('signin-failed');
});

step('GitHub brings the user back to the page that was asked for', async () => {
  await page.goto(`${FS_URL}/account`);
  await button('Sign in with GitHub').click();
  await heading('Account of Ada').waitFor();
  assert.equal(new URL(page.url()).pathname, '/account');
});

let token;
step('a token is shown once and works', async () => {
  await page.getByLabel('Name of a new token').fill('ci');
  await page.getByLabel('It may').selectOption('write');
  await button('Make token').click();
  token = await page.locator('[data-made="token"]').textContent();
  assert.match(token, /^fsa_/);
  await user.inspect('token-made');
  assert.equal((await call('POST', '/api/projects', { name: 'by token' }, token)).status, 200);
  await page.reload();
  await page.locator('[data-token]').waitFor();
  assert.equal(await page.getByText(token).count(), 0);
  await user.inspect('account');
});

step('a revoked token goes from the list and opens nothing', async () => {
  await button('Revoke ci').click();
  await page.locator('[data-token]').waitFor({ state: 'detached' });
  assert.equal((await call('GET', '/api/projects', undefined, token)).status, 401);
});

step('a program is let in by its code after a look', async () => {
  const { body: begun } = await call('POST', '/api/auth/device/code', { name: 'fsctl', scopes: ['write'] });
  await page.goto(begun.verification_uri_complete);
  await user.inspect('device');
  await button('Continue').click();
  await page.getByText('fsctl').waitFor();
  await page.getByText('Read and change everything of yours').waitFor();
  await user.inspect('device-asked');
  await button('Allow').click();
  await page.getByText('The program is let in.').waitFor();
  const polled = await call('POST', '/api/auth/device/token', { device_code: begun.device_code });
  assert.equal((await call('GET', '/api/projects', undefined, polled.body.access_token)).status, 200);
});

step('an unknown code is told', async () => {
  await page.goto(`${FS_URL}/device`);
  await page.getByLabel('The code that the program shows').fill('bbbb-bbbb');
  await button('Continue').click();
  await page.getByText('No program waits with this code, or no longer').waitFor();
});

step('a link does not lead out of an account unasked', async () => {
  await page.goto(links[0]);
  await heading('Sign in with this link?').waitFor();
  await user.inspect('signin-asked');
  await page.getByRole('link', { name: 'Leave it', exact: true }).click();
  await goToAccount();
});

step('signing out everywhere ends this browser too', async () => {
  await goToAccount();
  await page.getByText('This browser').waitFor();
  await button('Sign out everywhere').click();
  await heading('You are signed out').waitFor();
  await page.goto(`${FS_URL}/account`);
  await button('Sign in with GitHub').waitFor();
});

step('a link on another site signs nobody in unasked, and one that is followed by hand does', async () => {
  await page.goto(links[0], { referer: 'https://elsewhere.example/' });
  await heading('Sign in with this link?').waitFor();
  await button('Sign in').click();
  await page.locator('.avatar').waitFor();
  await page.context().clearCookies();
  await page.goto(links[1]);
  await page.locator('.avatar').waitFor();
});
