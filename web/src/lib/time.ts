// SPDX-License-Identifier: MIT
/* Times as a person reads them. Pure: the caller says what "now" is, in server time. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const two = (n: number): string => String(n).padStart(2, '0');

/** Journal and resource times are RFC 3339; anything else is NaN. */
export function parseTime(text: string | null | undefined): number {
  return text ? Date.parse(text) : NaN;
}

/** A span that is over: "< 0.1 s", "0.4 s", "12 s", "1 min 05 s", "2 h 03 min". Tenths only where they say something. */
export function formatDuration(ms: number): string {
  const span = Math.max(0, ms);
  if (span < 50) return '< 0.1 s';
  if (span < 9950) return `${(span / SECOND).toFixed(1)} s`;
  return formatTicking(Math.round(span / SECOND) * SECOND);
}

/** A span that is still running: whole seconds, rounded down, so that it never runs ahead. */
export function formatTicking(ms: number): string {
  const span = Math.max(0, ms);
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min ${two(Math.floor((span % MINUTE) / SECOND))} s`;
  return `${Math.floor(span / HOUR)} h ${two(Math.floor((span % HOUR) / MINUTE))} min`;
}

/** A span that is only estimated: "less than a minute", "about 3 min", "about 2 h 10 min". */
export function formatAbout(ms: number): string {
  if (ms < MINUTE) return 'less than a minute';
  const minutes = Math.round(ms / MINUTE);
  if (minutes < 60) return `about ${minutes} min`;
  return `about ${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** A span that is set: "90 s", "5 min", "2 h 30 min", "7 d". Exact, for it is a limit. */
export function formatSpan(ms: number): string {
  const units: [number, string][] = [[DAY, 'd'], [HOUR, 'h'], [MINUTE, 'min'], [SECOND, 's']];
  let rest = ms;
  const parts = units.flatMap(([unit, word]) => {
    const n = Math.floor(rest / unit);
    rest -= n * unit;
    return n > 0 ? [`${n} ${word}`] : [];
  });
  return parts.join(' ') || '0 s';
}

/** How long ago, coarse: "just now", "42 s ago", "5 min ago", "3 h ago", "2 days ago", then the date. */
export function formatAgo(atMs: number, nowMs: number): string {
  const age = nowMs - atMs;
  if (Number.isNaN(age)) return '';
  if (age < 5 * SECOND) return 'just now';
  if (age < MINUTE) return `${Math.floor(age / SECOND)} s ago`;
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  if (age < DAY) return `${Math.floor(age / HOUR)} h ago`;
  if (age < 2 * DAY) return 'yesterday';
  if (age < 30 * DAY) return `${Math.floor(age / DAY)} days ago`;
  return formatDate(atMs);
}

/** The day, in the reader's own zone: "2026-11-23". */
export function formatDate(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Day and time in the reader's own zone: "2026-11-23 14:03:12". */
export function formatMoment(atMs: number): string {
  const at = new Date(atMs);
  return `${formatDate(atMs)} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
