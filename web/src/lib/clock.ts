// SPDX-License-Identifier: MIT
/* The server's clock as seen from here. Each answer bounds the offset between the two clocks: the server stamped it
 * between our sending and our receiving. Intersecting these bounds gets below the one second of a Date header.
 * Does not tick and does not format: see state/tick.ts and lib/time.ts. */

/** A Date header is rounded down to whole seconds. */
const GRAIN_MS = 1000;

export class ServerClock {
  #low = -Infinity;
  #high = Infinity;

  constructor(private readonly localNow: () => number = Date.now) {}

  /**
   * Takes one stamp of the server into account.
   * stampMs: the Date header; sentMs, receivedMs: local time around the answer.
   */
  observe(stampMs: number, sentMs: number, receivedMs: number): void {
    if (!Number.isFinite(stampMs) || receivedMs < sentMs) return;
    const low = stampMs - receivedMs;
    const high = stampMs + GRAIN_MS - sentMs;
    const meets = low <= this.#high && high >= this.#low;
    // No common offset means that one of the clocks was set: what was known before is void.
    this.#low = meets ? Math.max(low, this.#low) : low;
    this.#high = meets ? Math.min(high, this.#high) : high;
  }

  /** Milliseconds to add to local time; 0 before the first stamp. */
  get offsetMs(): number {
    return Number.isFinite(this.#low) ? (this.#low + this.#high) / 2 : 0;
  }

  /** The server's time now, in milliseconds since the epoch. */
  now(): number {
    return this.localNow() + this.offsetMs;
  }
}
