// SPDX-License-Identifier: MIT
/* Runs the journey against the mock server, which shows that pages and journey fit; it says nothing about fullstackd. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MockServer } from './mock/server.mjs';

/** Faster than life, slow enough to look at a creation on the way. */
const SPEED = 4;
const PACED_NAME = 'corner shop';

const page = fileURLToPath(new URL('../../web/dist/index.html', import.meta.url));
if (!existsSync(page)) throw new Error('web/dist is not built: run "npm run build" in web/ first');
const server = new MockServer({ speed: SPEED, pacedName: PACED_NAME });
const url = await server.listen();
const links = `${server.newSignInLink()} ${server.newSignInLink()}`;
const journey = spawn(process.execPath, [fileURLToPath(new URL('./journey.mjs', import.meta.url))], {
  stdio: 'inherit',
  env: { ...process.env, FS_URL: url, FS_SIGNIN_URL: links, FS_PACE_URL: `${url}/mock/next` },
});
process.exitCode = await new Promise((resolve) => journey.on('close', (code) => resolve(code ?? 1)));
await server.close();
