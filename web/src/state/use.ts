// SPDX-License-Identifier: MIT
/* Tells the server that somebody works on the open project, where it stops what nobody uses: it sees neither the
 * terminal nor that a page is looked at. A page that only lies open says nothing. */

import { api } from '../net/api.ts';

const BEAT_MS = 60_000;
const SIGNS = ['pointerdown', 'keydown'] as const;

/** Until the returned function is called. */
export function watchUse(projectId: string): () => void {
  let isWanted = false;
  let lastMs = -Infinity;
  const onSign = (): void => {
    if (!isWanted || Date.now() - lastMs < BEAT_MS) return;
    lastMs = Date.now();
    // One that is lost is made up for by the next.
    api.noteActivity(projectId).catch(() => {});
  };
  api.limits(projectId).then(({ body }) => (isWanted = (body.effective.idleStopSeconds ?? 0) > 0), () => {});
  for (const sign of SIGNS) document.addEventListener(sign, onSign, { capture: true, passive: true });
  return () => {
    for (const sign of SIGNS) document.removeEventListener(sign, onSign, { capture: true });
  };
}
