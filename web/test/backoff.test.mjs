// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRetryAfterMs, RETRY_CEILING_MS, retryDelayMs } from '../src/lib/backoff.ts';

test('the wait doubles up to the ceiling', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 500].map((n) => retryDelayMs(n, 2000, 1)), [2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('chance spreads the wait over its upper half', () => {
  assert.equal(retryDelayMs(3, 2000, 0), 4000);
  assert.equal(retryDelayMs(3, 2000, 0.5), 6000);
});

test('a server may ask for more than the ceiling', () => {
  assert.equal(retryDelayMs(1, RETRY_CEILING_MS * 2, 1), RETRY_CEILING_MS * 2);
});

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('2026-11-23T12:00:00Z');
  assert.equal(parseRetryAfterMs('7', now), 7000);
  assert.equal(parseRetryAfterMs('Mon, 23 Nov 2026 12:00:09 GMT', now), 9000);
  assert.equal(parseRetryAfterMs('Mon, 23 Nov 2026 11:00:00 GMT', now), 0);
  assert.equal(parseRetryAfterMs('soon', now), null);
  assert.equal(parseRetryAfterMs(null, now), null);
});
