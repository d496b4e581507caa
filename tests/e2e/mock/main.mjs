// SPDX-License-Identifier: MIT
/* Runs the mock server for working on the pages: PORT (default 4173), SPEED (default 1), FILL (projects to begin with). */

import { MockServer } from './server.mjs';

const server = new MockServer({ speed: Number(process.env.SPEED ?? 1) });
const url = await server.listen(Number(process.env.PORT ?? 4173));
const fill = Number(process.env.FILL ?? 0);
if (fill > 0) await fetch(`${url}/mock/fill`, { method: 'POST', body: JSON.stringify({ count: fill }) });
console.log(`Sign in: ${server.newSignInLink()}`);
