// SPDX-License-Identifier: MIT
/* The server's time as a signal that moves once a second, only while somebody looks at it. */

import { signal } from '@preact/signals';
import { clock } from '../net/api.ts';

const TICK_MS = 1000;
let timer: ReturnType<typeof setInterval> | undefined;

export const serverNow = signal(clock.now(), {
  watched() {
    refreshNow();
    timer = setInterval(refreshNow, TICK_MS);
  },
  unwatched() {
    clearInterval(timer);
  },
});

/** Moves the signal at once, when the offset of the clocks was learned. */
export function refreshNow(): void {
  serverNow.value = clock.now();
}
