// SPDX-License-Identifier: MIT
/* Whether what is shown is live: a word in the top bar, and a notice with the age of the state when it is not. */

import { useEffect } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { StreamState } from '../lib/event_stream.ts';
import { formatAgo } from '../lib/time.ts';
import { announce } from '../state/announce.ts';
import { heardMs, isRecovering, reconnectNow, streamState } from '../state/live.ts';

let timer: ReturnType<typeof setInterval> | undefined;

/** Local time, once a second while looked at: waits and ages here are the browser's own, not the server's. */
const localNow = signal(Date.now(), {
  watched() {
    localNow.value = Date.now();
    timer = setInterval(() => (localNow.value = Date.now()), 1000);
  },
  unwatched() {
    clearInterval(timer);
  },
});
const WORD: Readonly<Record<StreamState['kind'], string>> = {
  idle: 'Paused',
  connecting: 'Connecting',
  live: 'Live',
  waiting: 'Reconnecting',
  offline: 'Offline',
  unauthorized: 'Signed out',
};

export function ConnectionWord() {
  const state = streamState.value;
  const kind = state.kind === 'connecting' && isRecovering.value ? 'waiting' : state.kind;
  return (
    <span class="connection" data-connection={kind}>
      <span class="dot" aria-hidden="true" />
      {WORD[kind]}
    </span>
  );
}

function whatNow(state: StreamState): string {
  if (state.kind === 'offline') return 'This device is offline.';
  if (state.kind !== 'waiting') return 'Connection lost. Reconnecting…';
  const inSeconds = Math.max(0, Math.ceil((state.untilMs - localNow.value) / 1000));
  return inSeconds === 0 ? 'Connection lost. Reconnecting…' : `Connection lost. Reconnecting in ${inSeconds} s.`;
}

export function ConnectionNotice() {
  const isLost = isRecovering.value;
  const wasHeard = heardMs.value > 0;
  useEffect(() => {
    if (!isLost) return undefined;
    announce('Connection lost. Reconnecting.');
    return () => announce('Connected again.');
  }, [isLost]);
  if (!isLost) return null;
  return (
    <section class="strip" aria-label="Connection" data-connection-notice>
      <p>
        <strong>{whatNow(streamState.value)}</strong>{' '}
        {wasHeard && <span>What you see is from {formatAgo(heardMs.value, localNow.value)}.</span>}
      </p>
      {streamState.value.kind === 'waiting' && (
        <button type="button" class="button small" onClick={reconnectNow}>
          Reconnect now
        </button>
      )}
    </section>
  );
}
