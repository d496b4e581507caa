// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAbout, formatAgo, formatDuration, formatSpan, formatTicking, parseTime } from '../src/lib/time.ts';

test('a finished span has tenths only while they say something', () => {
  const cases = [[0, '< 0.1 s'], [49, '< 0.1 s'], [50, '0.1 s'], [349, '0.3 s'], [9949, '9.9 s'], [9950, '10 s'], [59_499, '59 s'], [59_600, '1 min 00 s'],
    [65_000, '1 min 05 s'], [3_599_700, '1 h 00 min'], [7_380_000, '2 h 03 min'], [-5, '< 0.1 s']];
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text, String(ms));
});

test('a running span is rounded down, so that it never runs ahead of the clock', () => {
  const cases = [[999, '0 s'], [1000, '1 s'], [59_999, '59 s'], [60_000, '1 min 00 s'], [3_600_000, '1 h 00 min'], [-400, '0 s']];
  for (const [ms, text] of cases) assert.equal(formatTicking(ms), text, String(ms));
});

test('an age gets coarser as it grows and becomes a date', () => {
  const now = Date.parse('2026-11-23T12:00:00Z');
  const ago = (ms) => formatAgo(now - ms, now);
  assert.equal(ago(-3000), 'just now');
  assert.equal(ago(4999), 'just now');
  assert.equal(ago(42_000), '42 s ago');
  assert.equal(ago(5 * 60_000), '5 min ago');
  assert.equal(ago(3 * 3_600_000), '3 h ago');
  assert.equal(ago(30 * 3_600_000), 'yesterday');
  assert.equal(ago(5 * 86_400_000), '5 days ago');
  assert.match(ago(400 * 86_400_000), /^2025-10-\d\d$/);
  assert.equal(formatAgo(NaN, now), '');
});

test('what is no time is NaN, not now', () => {
  for (const text of [null, undefined, '', 'yesterday']) assert.ok(Number.isNaN(parseTime(text)));
  assert.equal(parseTime('2026-11-23T12:00:00.250Z'), 1795435200250);
});

test('an estimate is no more exact than it can be', () => {
  assert.deepEqual([9000, 61_000, 89_999, 3_599_000, 7_800_000].map(formatAbout), ['less than a minute', 'about 1 min', 'about 1 min', 'about 1 h 00 min', 'about 2 h 10 min']);
});

test('a span that is set is told exactly', () => {
  assert.deepEqual([60_000, 90_000, 3_600_000, 9_000_000, 86_400_000, 604_861_000].map(formatSpan), ['1 min', '1 min 30 s', '1 h', '2 h 30 min', '1 d', '7 d 1 min 1 s']);
});
