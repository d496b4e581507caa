// SPDX-License-Identifier: MIT
/* What a screen reader is told: news politely, failures at once. Shown by ui/live_region.tsx. */

import { signal } from '@preact/signals';

/** Odd turns carry a no-break space, so that the same text said twice is a change. */
let turn = 0;

export const politeText = signal('');
export const assertiveText = signal('');

function vary(text: string): string {
  turn ^= 1;
  return turn ? `${text}\u00a0` : text;
}

export function announce(text: string): void {
  politeText.value = vary(text);
}

export function announceFailure(text: string): void {
  assertiveText.value = vary(text);
}
