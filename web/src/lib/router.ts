// SPDX-License-Identifier: MIT
/* Which page a path means. Pure: history and clicks are in state/nav.ts. */

export type Params = Readonly<Record<string, string>>;

export interface Match<T> {
  target: T;
  params: Params;
}

/**
 * The first route whose pattern fits. Patterns are literal segments and ":name" for one non-empty segment; a slash at
 * the end of the path is ignored. Segments that are no valid percent-encoding fit nothing.
 */
export function matchRoute<T>(routes: readonly (readonly [string, T])[], path: string): Match<T> | null {
  const parts = split(path);
  for (const [pattern, target] of routes) {
    const params = matchParts(split(pattern), parts);
    if (params) return { target, params };
  }
  return null;
}

function split(path: string): string[] {
  const trimmed = path.replace(/^\/|\/$/g, '');
  return trimmed === '' ? [] : trimmed.split('/');
}

function matchParts(pattern: string[], parts: string[]): Params | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [i, want] of pattern.entries()) {
    const got = parts[i] ?? '';
    if (!want.startsWith(':')) {
      if (want !== got) return null;
      continue;
    }
    const value = decode(got);
    if (!value) return null;
    params[want.slice(1)] = value;
  }
  return params;
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/**
 * True for an address inside this site: one leading slash, no second one, no backslash and no control character, since
 * browsers read "/\host" as another site and drop tabs and line ends.
 */
export function isLocalPath(text: string): boolean {
  return /^\/(?![/\\])[^\\\u0000-\u0020\u007f]*$/.test(text);
}
