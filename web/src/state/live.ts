// SPDX-License-Identifier: MIT
/* The one event stream of this tab: open while somebody is signed in and the tab is shown, resumed where it was.
 * Hands journal events to those who subscribed; knows nothing of what they show. */

import { batch, signal } from '@preact/signals';
import { EventStream, type StreamState } from '../lib/event_stream.ts';
import type { SseEvent } from '../lib/sse_parser.ts';
import { observeHeaders } from '../net/api.ts';
import type { JournalEvent, JournalKind } from '../net/types.ts';
import { readStored, writeStored } from './prefs.ts';
import { endSession, session } from './session.ts';

/** Up to this many events of one read are shown one after the other; more are a replay and are shown at once. */
const REPLAY_EVENTS = 24;

export const streamState = signal<StreamState>({ kind: 'idle' });
/** Local time at which the server was last heard. */
export const heardMs = signal(0);
/** Counts connections that were lost since the last live one. */
export const isRecovering = signal(false);

interface Subscriber {
  onEvent(event: JournalEvent): void;
  /** Events are missing: read everything again. */
  onReset(): void;
}
const subscribers = new Set<Subscriber>();

export function subscribe(subscriber: Subscriber): () => void {
  subscribers.add(subscriber);
  return () => subscribers.delete(subscriber);
}

/** Complete by its type; what comes beside these is of a later server, and passed over. */
const KINDS: Readonly<Record<JournalKind, true>> = { stage: true, status: true, done: true, queued: true };

function isKind(name: string): name is JournalKind {
  return Object.hasOwn(KINDS, name);
}

function parseEvent(event: SseEvent): JournalEvent | null {
  if (!isKind(event.event)) return null;
  try {
    return { kind: event.event, ...(JSON.parse(event.data) as object) } as JournalEvent;
  } catch {
    return null;
  }
}

function deliver(event: SseEvent): void {
  if (event.event === 'reset') {
    for (const s of subscribers) s.onReset();
    return;
  }
  const parsed = parseEvent(event);
  if (parsed) for (const s of subscribers) s.onEvent(parsed);
}

async function onEvents(events: SseEvent[]): Promise<void> {
  if (events.length > REPLAY_EVENTS) {
    batch(() => events.forEach(deliver));
  } else {
    for (const event of events) {
      deliver(event);
      // Lets the page render: each event is seen, also by an assistive technology, in the order of the journal.
      await null;
    }
  }
  keepResumePoint();
}

const seqKey = (userId: string): string => `seq.${userId}`;

function keepResumePoint(): void {
  const state = session.peek();
  if (state.kind === 'signed_in') writeStored('local', seqKey(state.user.id), String(stream.after));
}

function onState(state: StreamState): void {
  if (state.kind === 'waiting' || state.kind === 'offline') isRecovering.value = true;
  if (state.kind === 'live' || state.kind === 'idle') isRecovering.value = false;
  streamState.value = state;
  if (state.kind === 'unauthorized') endSession();
}

const stream: EventStream = new EventStream(
  {
    // Without a number the server begins with a snapshot, not with all that ever happened.
    url: (after) => (after > 0 ? `/api/events?after=${after}` : '/api/events'),
    onEvents: (events) => void onEvents(events),
    onState,
    onHeard: () => (heardMs.value = Date.now()),
    onAnswer: observeHeaders,
  },
  {
    fetch: (url, init) => fetch(url, init),
    later(fn, ms) {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    now: Date.now,
    random: Math.random,
  },
);

export function reconnectNow(): void {
  stream.reconnectNow();
}

let openFor: string | null = null;

function adjust(): void {
  const state = session.value;
  const userId = state.kind === 'signed_in' ? state.user.id : null;
  if (userId !== openFor && userId !== null) {
    // The number only saves a replay; events that the page knows already change nothing.
    stream.rewind(Number(readStored('local', seqKey(userId))) || 0);
  }
  openFor = userId;
  if (userId !== null && document.visibilityState === 'visible') stream.open();
  else stream.close();
}

/** Call once. */
export function startLive(): void {
  session.subscribe(adjust);
  document.addEventListener('visibilitychange', adjust);
  addEventListener('pagehide', () => stream.close());
  addEventListener('pageshow', adjust);
  addEventListener('online', () => stream.setOnline(true));
  addEventListener('offline', () => stream.setOnline(false));
  if (!navigator.onLine) stream.setOnline(false);
}
