// SPDX-License-Identifier: MIT
/* How long to wait before the next try: doubles, has a ceiling, and is spread so that a restarted server is not
 * met by every tab at once. Pure. */

export const RETRY_BASE_MS = 2000;
export const RETRY_CEILING_MS = 30_000;

/**
 * failures: tries that failed in a row, 1 or more; baseMs: the server's "retry:"; random: 0..1.
 * Returns half of the full delay plus a random part of the other half.
 */
export function retryDelayMs(failures: number, baseMs: number, random: number): number {
  const doublings = Math.min(Math.max(failures, 1) - 1, 16);
  const full = Math.min(baseMs * 2 ** doublings, Math.max(RETRY_CEILING_MS, baseMs));
  return Math.round(full / 2 + (full / 2) * random);
}

/** Retry-After in seconds or as a date; null when absent or unreadable. */
export function parseRetryAfterMs(header: string | null, nowMs: number): number | null {
  if (!header) return null;
  if (/^\d{1,6}$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
