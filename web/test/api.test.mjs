// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, nextCursor } from '../src/net/api.ts';

/** Answers one after the other; each is a Response or an error. Time does not pass: pauses are over at once. */
function play(context, answers) {
  const sent = [];
  context.mock.method(globalThis, 'fetch', async (path, init) => {
    sent.push({ path, key: init.headers['Idempotency-Key'], body: init.body });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });
  context.mock.method(globalThis, 'setTimeout', (fn, ms) => {
    if (ms < 10_000) queueMicrotask(fn);
    return 0;
  });
  return sent;
}

const ok = (body) => new Response(JSON.stringify(body), { status: 200 });
const problem = (status, name, headers = {}) => new Response(JSON.stringify({ detail: 'No.', details: { name } }), { status, headers });

test('an act whose answer was lost is sent again under the same key', async (context) => {
  const sent = play(context, [new TypeError('cut'), problem(502, 'x'), problem(409, 'InProgress', { 'Retry-After': '1' }), ok({ id: 'p' })]);
  const { body } = await api.createProject({ name: 'one' }, 'key-1');
  assert.deepEqual(body, { id: 'p' });
  assert.deepEqual(sent.map((s) => s.key), ['key-1', 'key-1', 'key-1', 'key-1']);
  assert.equal(new Set(sent.map((s) => s.body)).size, 1);
});

test('it is given up after some times', async (context) => {
  const sent = play(context, [1, 2, 3, 4, 5].map(() => new TypeError('cut')));
  await assert.rejects(api.createProject({ name: 'one' }, 'key-2'), { status: 0 });
  assert.equal(sent.length, 4);
});

test('an answer that settles it is the answer', async (context) => {
  for (const answer of [problem(409, 'conflict'), problem(400, 'invalid'), problem(422, 'KeyReused'), problem(500, 'bug')]) {
    const sent = play(context, [answer]);
    await assert.rejects(api.startSandbox('p', 'key-3'), { status: answer.status });
    assert.equal(sent.length, 1);
    context.mock.restoreAll();
  }
});

test('what has no key is sent once', async (context) => {
  const sent = play(context, [new TypeError('cut')]);
  await assert.rejects(api.project('p'), { status: 0 });
  assert.equal(sent.length, 1);
});

test('a server that asks for a long wait is not waited for', async (context) => {
  const sent = play(context, [problem(503, 'not_ready', { 'Retry-After': '60' })]);
  await assert.rejects(api.startSandbox('p', 'key-4'), { status: 503, retryAfterMs: 60_000 });
  assert.equal(sent.length, 1);
});

test('the next page is where the Link field says, and nowhere else', () => {
  assert.equal(nextCursor('</api/projects?limit=100&cursor=17000.p-1>; rel="next"'), '17000.p-1');
  for (const none of [null, '', '</api/projects?limit=100>; rel="next"', '</api/projects?cursor=1.a>; rel="prev"', 'cursor=1.a']) {
    assert.equal(nextCursor(none), null, String(none));
  }
});
