// SPDX-License-Identifier: MIT
/* Writes src/net/openapi.ts, the types of the API, from docs/openapi.json; with --check it fails where the file differs.
 * In a folder with packages of its own: openapi-typescript needs a TypeScript that has an API for programs. */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const SOURCE = new URL('../../docs/openapi.json', import.meta.url);
const TARGET = new URL('../src/net/openapi.ts', import.meta.url);
const HEAD = `// SPDX-License-Identifier: MIT
/* Generated from docs/openapi.json by web/api_types. Do not edit: npm run types. */

`;

/** OpenAPI 3.1 has no words for the events of a stream; the description says them in an extension. All streams tell the same ones. */
function addStreamEvents(description) {
  const streams = Object.values(description.paths)
    .flatMap((path) => Object.values(path))
    .map((operation) => operation.responses?.['200']?.['x-event-stream'])
    .filter(Boolean);
  const told = new Set(streams.map((events) => JSON.stringify(events)));
  if (told.size !== 1) throw new Error(`docs/openapi.json describes ${told.size} different streams, the dashboard knows one`);
  const properties = structuredClone(streams[0]);
  description.components.schemas.StreamEvents = { type: 'object', properties, required: Object.keys(properties) };
}

const description = JSON.parse(readFileSync(SOURCE, 'utf8'));
addStreamEvents(description);
const text = HEAD + astToString(await openapiTS(description, { silent: true }));
if (!process.argv.includes('--check')) {
  writeFileSync(TARGET, text);
} else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error(`${fileURLToPath(TARGET)} is not what docs/openapi.json says. Write it anew: npm --prefix web run types`);
  process.exitCode = 1;
}
