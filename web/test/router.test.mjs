// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLocalPath, matchRoute } from '../src/lib/router.ts';

const routes = [['/', 'home'], ['/projects', 'list'], ['/projects/new', 'new'], ['/projects/:id', 'one']];
const target = (path) => matchRoute(routes, path)?.target ?? null;

test('the first route that fits wins, so a literal stands before a parameter', () => {
  assert.equal(target('/projects/new'), 'new');
  assert.equal(target('/projects/newer'), 'one');
});

test('a slash at the end is ignored, more segments fit nothing', () => {
  assert.equal(target('/'), 'home');
  assert.equal(target('/projects/'), 'list');
  assert.equal(target('/projects/a/b'), null);
  assert.equal(target('/project'), null);
});

test('parameters are decoded, and an invalid encoding fits nothing', () => {
  assert.deepEqual(matchRoute(routes, '/projects/a%2Fb%20c')?.params, { id: 'a/b c' });
  assert.equal(target('/projects/%E0%A4%A'), null);
});

test('only a path of this site is local', () => {
  for (const path of ['/', '/projects', '/projects/1?q=a%20b#x']) assert.ok(isLocalPath(path), path);
  for (const path of ['', 'projects', '//evil.example', '/\\evil.example', '/a\\b', 'https://evil.example/', '/\t/evil.example', '/\n/x', '/a b']) {
    assert.ok(!isLocalPath(path), JSON.stringify(path));
  }
});
