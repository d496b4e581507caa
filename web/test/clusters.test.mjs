// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterChoices } from '../src/lib/clusters.ts';

const cluster = (name, isDefault, status = 'available') => ({ name, isDefault, status });

test('where there is one cluster there is no choice', () => {
  assert.deepEqual(clusterChoices([]), []);
  assert.deepEqual(clusterChoices([cluster('us', true)]), []);
});

test('the default comes first and one that is away says so', () => {
  const choices = clusterChoices([cluster('eu', false, 'unreachable'), cluster('us', true), cluster('asia', false, 'starting')]);
  assert.deepEqual(choices, [
    { name: 'us', label: 'us (default)' },
    { name: 'eu', label: 'eu (does not answer now)' },
    { name: 'asia', label: 'asia (is being read)' },
  ]);
});

test('a state that is not known here is not told', () => {
  assert.equal(clusterChoices([cluster('us', true, 'resting'), cluster('eu', false)])[0].label, 'us (default)');
});
