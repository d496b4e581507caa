// SPDX-License-Identifier: MIT
/* Tells the server that somebody works on the open project, where it stops what nobody uses: it sees neither the
 * terminal nor that a page is looked at. A page that only lies open says nothing. */

import { api } from '../net/api.ts';
import type { Limits } from '../net/types.ts';

const BEAT_MS = 60_000;
const SIGNS = ['pointerdown', 'keydown'] as const;

let isWanted = false;

/** Says the limits of the project whose page is open: without a stop for idleness nobody asks who uses it. */
export function wantUse({ effective }: Limits): void {
  isWanted = (effective.idleStopSeconds ?? 0) > 0;
}

/** Until the returned function is called. */
export function watchUse(projectId: string): () => void {
  isWanted = false;
  let lastMs = -Infinity;
  const onSign = (): void => {
    if (!isWanted || Date.now() - lastMs < BEAT_MS) return;
    lastMs = Date.now();
    // One that is lost is made up for by the next.
    api.noteActivity(projectId).catch(() => {});
  };
  for (const sign of SIGNS) document.addEventListener(sign, onSign, { capture: true, passive: true });
  return () => {
    for (const sign of SIGNS) document.removeEventListener(sign, onSign, { capture: true });
  };
}
