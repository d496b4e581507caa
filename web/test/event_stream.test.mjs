// SPDX-License-Identifier: MIT
/* The stream wrapper against a scripted server and a clock that is moved by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventStream, SILENCE_LIMIT_MS } from '../src/lib/event_stream.ts';

/** Lets everything that is ready run; no time passes. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

class World {
  nowMs = 0;
  timers = [];
  requests = [];
  answers = [];
  states = [];
  events = [];
  heard = 0;

  constructor() {
    this.stream = new EventStream(
      {
        url: (after) => `/api/events?after=${after}`,
        onEvents: (events) => this.events.push(...events.map((e) => `${e.id}:${e.event}`)),
        onState: (state) => this.states.push(state.kind),
        onHeard: () => this.heard++,
      },
      { fetch: (url, init) => this.#fetch(url, init), later: (fn, ms) => this.#later(fn, ms), now: () => this.nowMs, random: () => 1 },
    );
  }

  #later(fn, ms) {
    const timer = { at: this.nowMs + ms, fn };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((t) => t !== timer));
  }

  #fetch(url, init) {
    this.requests.push(url);
    const answer = this.answers.shift();
    if (answer === undefined) return new Promise((_, reject) => init.signal.addEventListener('abort', () => reject(new Error('aborted'))));
    if (answer === 'refused') return Promise.reject(new TypeError('connection refused'));
    return Promise.resolve(answer(init.signal));
  }

  async advance(ms) {
    const until = this.nowMs + ms;
    for (;;) {
      await settle();
      const due = this.timers.filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((t) => t !== due);
      this.nowMs = due.at;
      due.fn();
    }
    this.nowMs = until;
    await settle();
  }
}

function status(code, headers = {}) {
  return () => new Response('', { status: code, headers });
}

/** An open stream; say() sends, end() closes. */
function line() {
  let out;
  const body = new ReadableStream({ start: (controller) => (out = controller) });
  const encoder = new TextEncoder();
  const answer = (signal) => {
    signal.addEventListener('abort', () => {
      try {
        out.error(new Error('aborted'));
      } catch {
        // The server had ended it before.
      }
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
  };
  return { answer, say: (text) => out.enqueue(encoder.encode(text)), end: () => out.close() };
}

const stage = (id) => `id: ${id}\nevent: stage\ndata: {}\n\n`;

test('events arrive in order and the next connection resumes after the last one', async () => {
  const world = new World();
  const first = line();
  world.answers = [first.answer];
  world.stream.open(3);
  await settle();
  first.say('retry: 2000\n\n' + stage(4) + stage(5));
  await settle();
  assert.deepEqual(world.events, ['4:stage', '5:stage']);
  first.end();
  await world.advance(2000);
  assert.deepEqual(world.requests, ['/api/events?after=3', '/api/events?after=5']);
});

test('a 503 is waited out with growing waits, where a native EventSource gives up', async () => {
  const world = new World();
  const last = line();
  world.answers = [status(503), status(503), 'refused', last.answer];
  world.stream.open();
  await world.advance(1999);
  assert.equal(world.requests.length, 1);
  await world.advance(1);
  assert.equal(world.requests.length, 2);
  await world.advance(4000);
  assert.equal(world.requests.length, 3);
  await world.advance(8000);
  assert.deepEqual(world.states, ['connecting', 'waiting', 'connecting', 'waiting', 'connecting', 'waiting', 'connecting', 'live']);
});

test('the wait that the server asks for by retry is taken', async () => {
  const world = new World();
  const first = line();
  world.answers = [first.answer];
  world.stream.open();
  await settle();
  first.say('retry: 500\n\n');
  await settle();
  first.end();
  await world.advance(499);
  assert.equal(world.requests.length, 1);
  assert.equal(world.timers.length, 1, 'only the wait is left');
  await world.advance(1);
  assert.equal(world.requests.length, 2);
});

test('Retry-After is kept when it is longer than our own wait', async () => {
  const world = new World();
  world.answers = [status(503, { 'retry-after': '20' })];
  world.stream.open();
  await world.advance(19_999);
  assert.equal(world.requests.length, 1);
  await world.advance(1);
  assert.equal(world.requests.length, 2);
});

test('an answer that is no event stream counts as a failure', async () => {
  const world = new World();
  world.answers = [() => new Response('<html>', { headers: { 'content-type': 'text/html' } })];
  world.stream.open();
  await settle();
  assert.deepEqual(world.states, ['connecting', 'waiting']);
});

test('bytes after a failure make the next wait short again', async () => {
  const world = new World();
  const good = line();
  world.answers = [status(503), status(503), good.answer];
  world.stream.open();
  await world.advance(6000);
  good.say(': hb\n\n');
  await settle();
  good.end();
  await world.advance(2000);
  assert.equal(world.requests.length, 4);
  assert.equal(world.heard, 1);
});

test('bye reconnects at once after the last event, without saying that the line was lost', async () => {
  const world = new World();
  const first = line();
  const second = line();
  world.answers = [first.answer, second.answer];
  world.stream.open();
  await world.advance(60);
  first.say(stage(9));
  await world.advance(5000);
  first.say('event: bye\ndata: {}\n\n');
  await settle();
  assert.deepEqual(world.requests, ['/api/events?after=0', '/api/events?after=9']);
  assert.deepEqual(world.events, ['9:stage']);
  assert.ok(!world.states.includes('waiting'));
});

test('a server that says bye at once each time is not asked without a pause', async () => {
  const world = new World();
  const lines = [line(), line()];
  world.answers = lines.map((l) => l.answer);
  world.stream.open();
  await settle();
  lines[0].say('event: bye\ndata: {}\n\n');
  await settle();
  assert.equal(world.requests.length, 1);
  assert.equal(world.states.at(-1), 'waiting');
});

test('silence beyond the heartbeats ends the connection and starts another', async () => {
  const world = new World();
  const dead = line();
  world.answers = [dead.answer];
  world.stream.open();
  await world.advance(15_000);
  dead.say(': hb\n\n');
  await world.advance(SILENCE_LIMIT_MS - 1);
  assert.equal(world.states.at(-1), 'live');
  await world.advance(1);
  assert.equal(world.states.at(-1), 'waiting');
});

test('a 401 ends the stream and says why', async () => {
  const world = new World();
  world.answers = [status(401)];
  world.stream.open();
  await world.advance(120_000);
  assert.equal(world.requests.length, 1);
  assert.equal(world.states.at(-1), 'unauthorized');
});

test('a closed stream asks nothing and hands on nothing; opening resumes', async () => {
  const world = new World();
  const first = line();
  world.answers = [first.answer];
  world.stream.open();
  await settle();
  first.say(stage(2));
  await settle();
  world.stream.close();
  await world.advance(120_000);
  assert.equal(world.requests.length, 1);
  assert.deepEqual(world.timers, []);
  world.stream.open();
  assert.equal(world.requests[1], '/api/events?after=2');
});

test('what arrives while the stream is being closed is dropped', async () => {
  const world = new World();
  const first = line();
  world.answers = [first.answer];
  world.stream.open();
  await settle();
  first.say(stage(2));
  world.stream.close();
  await settle();
  assert.deepEqual(world.events, []);
  assert.equal(world.stream.after, 0);
});

test('the end of a closed connection does not touch the one opened after it', async () => {
  const world = new World();
  const second = line();
  world.stream.open();
  world.stream.close();
  world.answers = [second.answer];
  world.stream.open();
  await settle();
  second.say(stage(1));
  await settle();
  assert.equal(world.states.at(-1), 'live');
  assert.ok(!world.states.includes('waiting'));
  assert.deepEqual(world.events, ['1:stage']);
});

test('opening twice keeps one connection', async () => {
  const world = new World();
  world.stream.open();
  world.stream.open();
  await settle();
  assert.equal(world.requests.length, 1);
});

test('offline stops trying, online tries at once', async () => {
  const world = new World();
  world.answers = ['refused'];
  world.stream.open();
  await settle();
  world.stream.setOnline(false);
  await world.advance(120_000);
  assert.equal(world.requests.length, 1);
  assert.equal(world.states.at(-1), 'offline');
  world.stream.setOnline(true);
  await settle();
  assert.equal(world.requests.length, 2);
});

test('reconnectNow ends a wait and leaves a live line alone', async () => {
  const world = new World();
  const good = line();
  world.answers = [status(503), good.answer];
  world.stream.open();
  await settle();
  world.stream.reconnectNow();
  await settle();
  assert.equal(world.states.at(-1), 'live');
  world.stream.reconnectNow();
  await settle();
  assert.equal(world.requests.length, 2);
});

test('a reset with a smaller number moves the resume point back', async () => {
  const world = new World();
  const first = line();
  world.answers = [first.answer];
  world.stream.open(900);
  await settle();
  first.say('id: 12\nevent: reset\ndata: {}\n\n');
  await settle();
  assert.deepEqual(world.events, ['12:reset']);
  assert.equal(world.stream.after, 12);
});
