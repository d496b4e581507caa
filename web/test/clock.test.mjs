// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerClock } from '../src/lib/clock.ts';

const floorSecond = (ms) => Math.floor(ms / 1000) * 1000;

test('before the first answer the local clock is taken', () => {
  const clock = new ServerClock(() => 5000);
  assert.equal(clock.now(), 5000);
});

test('many Date headers of whole seconds find an offset much finer than a second', () => {
  let local = 1_000_000;
  const offset = -93_412;
  const clock = new ServerClock(() => local);
  for (let i = 0; i < 40; i++) {
    local += 1343;
    const sent = local;
    local += 30;
    clock.observe(floorSecond(local - 15 + offset), sent, local);
  }
  assert.ok(Math.abs(clock.offsetMs - offset) < 60, `offset ${clock.offsetMs}`);
});

test('one stamp tells the offset to half a second and the way there', () => {
  const clock = new ServerClock(() => 0);
  clock.observe(70_000, 10_000, 10_020);
  assert.ok(Math.abs(clock.offsetMs - 60_490) <= 10);
});

test('a clock that was set voids what was known before', () => {
  const clock = new ServerClock(() => 0);
  clock.observe(10_000, 10_000, 10_010);
  clock.observe(3_610_000, 10_020, 10_030);
  assert.ok(Math.abs(clock.offsetMs - 3_600_000) <= 520);
});

test('a stamp that is no number, or from before it was asked for, changes nothing', () => {
  const clock = new ServerClock(() => 0);
  clock.observe(NaN, 0, 10);
  clock.observe(5000, 10, 0);
  assert.equal(clock.offsetMs, 0);
});
