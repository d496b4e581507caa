// SPDX-License-Identifier: MIT
/* Promises about what is shipped. The sizes need a built web/dist and are skipped, saying so, without one. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = process.env.WEB_ROOT;
const assets = join(root, 'dist', 'assets');
const needsBuild = { skip: existsSync(assets) ? false : 'web/dist is not built: run "npm run build" first' };
const JS_BUDGET_BYTES = 40_000;
const CSS_BUDGET_BYTES = 6_000;

function packedBytes(kind) {
  const files = readdirSync(assets).filter((name) => name.endsWith(`.${kind}.br`));
  assert.ok(files.length > 0, `no .${kind}.br in web/dist/assets`);
  return files.reduce((sum, name) => sum + statSync(join(assets, name)).size, 0);
}

test('all scripts together keep the budget', needsBuild, () => {
  assert.ok(packedBytes('js') <= JS_BUDGET_BYTES, `${packedBytes('js')} bytes`);
});

test('all style sheets together keep the budget', needsBuild, () => {
  assert.ok(packedBytes('css') <= CSS_BUDGET_BYTES, `${packedBytes('css')} bytes`);
});

test('the page has no inline script or style and names only its own files', needsBuild, () => {
  const page = readFileSync(join(root, 'dist', 'index.html'), 'utf8');
  assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
  const named = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((m) => m[1]);
  assert.ok(named.length >= 4);
  for (const path of named) {
    assert.match(path, /^\/assets\/[a-z]+\.[A-Z0-9]{8}\.(js|css|svg)$/);
    assert.ok(existsSync(join(root, 'dist', path)), path);
  }
});

test('scripts and styles call no other host', needsBuild, () => {
  for (const name of readdirSync(assets).filter((n) => /\.(js|css)$/.test(n))) {
    const hosts = (readFileSync(join(assets, name), 'utf8').match(/https?:\/\/[^\s"'`)]+/g) ?? []).filter((u) => !u.startsWith('http://www.w3.org/'));
    assert.deepEqual(hosts, [], name);
  }
});

test('the lock files name no registry', () => {
  for (const folder of [root, join(root, 'api_types'), join(root, '..', 'tests', 'e2e')]) {
    const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
    for (const [name, entry] of Object.entries(lock.packages)) assert.equal(entry.resolved, undefined, name);
  }
});
