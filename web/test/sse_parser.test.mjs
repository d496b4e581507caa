// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LINE_CEILING_CHARS, SseParser } from '../src/lib/sse_parser.ts';

const STREAM = '\uFEFFretry: 2000\n\n: hb\n\nid: 7\nevent: stage\ndata: {"a":1}\n\nid: 8\r\ndata: x\r\ndata:  y\r\n\r\nevent: lost\n\ndata\rid: 9\r\r';
const EVENTS = [
  { event: 'stage', data: '{"a":1}', id: '7' },
  { event: 'message', data: 'x\n y', id: '8' },
  { event: 'message', data: '', id: '9' },
];

test('events are the same wherever the network cuts the stream', () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parser = new SseParser();
    const events = [...parser.feed(STREAM.slice(0, cut)), ...parser.feed(STREAM.slice(cut))];
    assert.deepEqual(events, EVENTS, `cut at ${cut}`);
    assert.equal(parser.retryMs, 2000);
  }
});

test('one character at a time gives the same events', () => {
  const parser = new SseParser();
  assert.deepEqual([...STREAM].flatMap((c) => parser.feed(c)), EVENTS);
});

test('an event that the end of the stream cut is not given', () => {
  const parser = new SseParser();
  assert.deepEqual(parser.feed('id: 3\ndata: half\n'), []);
});

test('retry takes digits only, an id with NUL is ignored', () => {
  const parser = new SseParser();
  parser.feed('retry: soon\nid: a\0b\ndata: x\n\n');
  assert.equal(parser.retryMs, null);
  assert.equal(parser.lastId, '');
});

test('a line without an end is refused at the ceiling', () => {
  const parser = new SseParser();
  assert.throws(() => parser.feed('x'.repeat(LINE_CEILING_CHARS + 1)), RangeError);
});
