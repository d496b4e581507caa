// SPDX-License-Identifier: MIT
/* Builds web/dist: bundles with hashed names and source maps, index.html, and a .gz and .br beside each served file.
 * Runs on Node 18 and later. With --watch it rebuilds on change and leaves the compression out. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, 'dist');
/** light-dark() and popover are what these browsers can. */
const target = ['chrome123', 'firefox125', 'safari17.5'];
/** A rebuild waits for the editor to finish writing. */
const SETTLE_MS = 50;

async function bundle(to) {
  const common = { absWorkingDir: root, bundle: true, minify: true, target, write: false, legalComments: 'none', metafile: true };
  const app = await build({
    ...common, entryPoints: { app: 'src/main.tsx' }, outdir: 'out', format: 'esm', sourcemap: 'linked',
    entryNames: '[name].[hash]', jsx: 'automatic', jsxImportSource: 'preact',
  });
  const boot = await build({ ...common, entryPoints: { boot: 'src/boot.ts' }, outdir: 'out', format: 'iife', entryNames: '[name].[hash]' });
  const names = {};
  for (const file of [...app.outputFiles, ...boot.outputFiles]) {
    const name = file.path.slice(join(root, 'out').length + 1);
    writeFileSync(join(to, 'assets', name), file.contents);
    const [stem, , kind] = name.split('.');
    if (!name.endsWith('.map')) names[`${stem}.${kind}`] = name;
  }
  return names;
}

function copyIcon(to) {
  const icon = readFileSync(join(root, 'src/icon.svg'));
  const hash = createHash('sha256').update(icon).digest('hex').slice(0, 8).toUpperCase();
  const name = `icon.${hash}.svg`;
  writeFileSync(join(to, 'assets', name), icon);
  return { 'icon.svg': name };
}

function writePage(to, names) {
  const page = readFileSync(join(root, 'src/index.html'), 'utf8').replace(/\{\{(.+?)\}\}/g, (_, key) => {
    if (!names[key]) throw new Error(`index.html names ${key}, which was not built`);
    return `/assets/${names[key]}`;
  });
  writeFileSync(join(to, 'index.html'), page);
}

function compress(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) compress(path);
    else if (['.js', '.css', '.html', '.svg'].includes(extname(name))) {
      const bytes = readFileSync(path);
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
      writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
    }
  }
}

/** Builds beside dist and swaps it in, so that a failed build leaves the last good one. */
async function buildAll({ isWatching }) {
  const fresh = `${dist}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(join(fresh, 'assets'), { recursive: true });
  writePage(fresh, { ...(await bundle(fresh)), ...copyIcon(fresh) });
  if (!isWatching) compress(fresh);
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
  report();
}

function report() {
  const assets = join(dist, 'assets');
  for (const name of readdirSync(assets).filter((n) => /\.(js|css)$/.test(n))) {
    const br = join(assets, `${name}.br`);
    const packed = existsSync(br) ? `, ${(statSync(br).size / 1000).toFixed(1)} kB br` : '';
    console.log(`${name}  ${(statSync(join(assets, name)).size / 1000).toFixed(1)} kB${packed}`);
  }
}

const isWatching = process.argv.includes('--watch');
await buildAll({ isWatching });
if (isWatching) {
  let pending;
  const onChange = () => {
    clearTimeout(pending);
    pending = setTimeout(() => buildAll({ isWatching }).catch((error) => console.error(error.message)), SETTLE_MS);
  };
  // Node 18 watches no tree on Linux, so each folder is watched.
  const src = join(root, 'src');
  const folders = readdirSync(src).map((name) => join(src, name)).filter((path) => statSync(path).isDirectory());
  for (const folder of [src, ...folders]) watch(folder, onChange);
}
