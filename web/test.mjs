// SPDX-License-Identifier: MIT
/* Runs test/*.test.mjs under node --test. Node 18 cannot import TypeScript, so each test is bundled first, into a
 * temporary folder that is removed afterwards. Further arguments go to node, as --test-name-pattern=… */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'fullstackd-web-test-'));
let status = 1;
try {
  const entryPoints = readdirSync(join(root, 'test')).filter((n) => n.endsWith('.test.mjs')).map((n) => join(root, 'test', n));
  await build({
    entryPoints, outdir: out, outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node', format: 'esm',
    target: 'node18', sourcemap: 'inline', define: { 'process.env.WEB_ROOT': JSON.stringify(root) },
  });
  const files = readdirSync(out).map((n) => join(out, n));
  const ran = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...process.argv.slice(2), ...files], { stdio: 'inherit' });
  status = ran.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
process.exit(status);
