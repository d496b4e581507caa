// SPDX-License-Identifier: MIT
/* One event stream that comes back. A native EventSource gives up for ever on a 503, hides the status and the
 * heartbeats; this reads the stream by fetch, so it can wait out any answer, notice a silent line and see a 401.
 * Owns connecting, waiting and resuming; what an event means is the caller's business. */

import { parseRetryAfterMs, retryDelayMs, RETRY_BASE_MS } from './backoff.ts';
import { SseParser, type SseEvent } from './sse_parser.ts';

/** Heartbeats come every 15 s; three missed ones and a bit mean that the line is dead. */
export const SILENCE_LIMIT_MS = 50_000;
/** A connection that the server ends sooner than this is not worth an immediate new one. */
const SHORT_LIVED_MS = 2000;

export type StreamState =
  | { kind: 'idle' }
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'waiting'; untilMs: number }
  | { kind: 'offline' }
  | { kind: 'unauthorized' };

export interface StreamDeps {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Runs fn once after ms; returns the canceller. */
  later(fn: () => void, ms: number): () => void;
  now(): number;
  random(): number;
}

export interface StreamOptions {
  /** The address that resumes after the event of this number. */
  url(after: number): string;
  /** Events in order of arrival, all those of one read together. */
  onEvents(events: SseEvent[]): void;
  onState(state: StreamState): void;
  /** Something was heard: an event or a heartbeat. */
  onHeard?(): void;
  /** Headers of a fresh answer, with the local times around it. */
  onAnswer?(headers: Headers, sentMs: number, receivedMs: number): void;
}

export class EventStream {
  #after = 0;
  #failures = 0;
  #baseMs = RETRY_BASE_MS;
  #online = true;
  #wanted = false;
  #state: StreamState = { kind: 'idle' };
  /** The connection in progress; events of any other are dropped. */
  #current: AbortController | null = null;
  #cancelWait: (() => void) | null = null;

  constructor(
    private readonly options: StreamOptions,
    private readonly deps: StreamDeps,
  ) {}

  get after(): number {
    return this.#after;
  }

  /** Opens the stream after this number, or goes on after the last one seen if that is larger. */
  open(after = 0): void {
    this.#after = Math.max(this.#after, after);
    this.#wanted = true;
    if (!this.#current && !this.#cancelWait) this.#connect();
  }

  /** Closes the stream; open() resumes it. */
  close(): void {
    this.#wanted = false;
    this.#drop();
    this.#set({ kind: 'idle' });
  }

  /** Ends a wait. */
  reconnectNow(): void {
    if (!this.#wanted || this.#current) return;
    this.#drop();
    this.#connect();
  }

  /** What the browser knows about the network. Offline stops trying; online tries at once. */
  setOnline(online: boolean): void {
    this.#online = online;
    if (!this.#wanted) return;
    if (online) {
      if (!this.#current) this.reconnectNow();
    } else {
      this.#drop();
      this.#set({ kind: 'offline' });
    }
  }

  /** Forgets the resume point: the next connection starts after this number. */
  rewind(after: number): void {
    this.#after = after;
  }

  #set(state: StreamState): void {
    this.#state = state;
    this.options.onState(state);
  }

  #drop(): void {
    this.#cancelWait?.();
    this.#cancelWait = null;
    this.#current?.abort();
    this.#current = null;
  }

  #connect(): void {
    if (!this.#online) return this.#set({ kind: 'offline' });
    const connection = new AbortController();
    this.#current = connection;
    if (this.#state.kind !== 'live') this.#set({ kind: 'connecting' });
    const startedMs = this.deps.now();
    this.#run(connection, startedMs).then(
      (waitMs) => this.#ended(connection, waitMs),
      () => this.#ended(connection, null),
    );
  }

  /** Reads one connection to its end. Resolves to the wait the server asks for; null: decide by yourself. */
  async #run(connection: AbortController, startedMs: number): Promise<number | null> {
    const isCurrent = (): boolean => this.#current === connection;
    let quiet = this.deps.later(() => connection.abort(), SILENCE_LIMIT_MS);
    try {
      const answer = await this.deps.fetch(this.options.url(this.#after), {
        headers: { Accept: 'text/event-stream' },
        cache: 'no-store',
        credentials: 'same-origin',
        signal: connection.signal,
      });
      if (!isCurrent()) return null;
      this.options.onAnswer?.(answer.headers, startedMs, this.deps.now());
      if (answer.status === 401) {
        this.#wanted = false;
        this.#set({ kind: 'unauthorized' });
        return null;
      }
      const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
      if (answer.status !== 200 || !isStream || !answer.body) {
        return parseRetryAfterMs(answer.headers.get('retry-after'), this.deps.now());
      }
      this.#set({ kind: 'live' });
      const reader = answer.body.getReader();
      const decoder = new TextDecoder();
      const parser = new SseParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || !isCurrent()) return null;
        quiet();
        quiet = this.deps.later(() => connection.abort(), SILENCE_LIMIT_MS);
        this.#failures = 0;
        this.options.onHeard?.();
        const said = this.#take(parser, decoder.decode(value, { stream: true }));
        if (said === 'bye') {
          connection.abort();
          return this.deps.now() - startedMs < SHORT_LIVED_MS ? null : 0;
        }
      }
    } finally {
      quiet();
    }
  }

  /** Hands on what one read brought. */
  #take(parser: SseParser, text: string): 'bye' | 'more' {
    const events = parser.feed(text);
    if (parser.retryMs !== null) this.#baseMs = parser.retryMs;
    const last = Number(parser.lastId);
    if (parser.lastId !== '' && Number.isSafeInteger(last)) this.#after = last;
    const own = events.filter((e) => e.event !== 'bye');
    if (own.length > 0) this.options.onEvents(own);
    return own.length < events.length ? 'bye' : 'more';
  }

  #ended(connection: AbortController, waitMs: number | null): void {
    if (this.#current !== connection) return;
    this.#current = null;
    if (!this.#wanted) return;
    if (waitMs === 0) return this.#connect();
    this.#failures += 1;
    const ownMs = retryDelayMs(this.#failures, this.#baseMs, this.deps.random());
    const delayMs = Math.max(ownMs, waitMs ?? 0);
    this.#cancelWait = this.deps.later(() => {
      this.#cancelWait = null;
      this.#connect();
    }, delayMs);
    this.#set({ kind: 'waiting', untilMs: this.deps.now() + delayMs });
  }
}
