// SPDX-License-Identifier: MIT
/* Who is signed in. A session that ends under a page keeps the page's address, to return to it after signing in. */

import { signal } from '@preact/signals';
import { isLocalPath } from '../lib/router.ts';
import { ApiError, api, setUnauthorizedHandler } from '../net/api.ts';
import type { User } from '../net/types.ts';
import { navigate, place } from './nav.ts';
import { readStored, writeStored } from './prefs.ts';

export type SessionState =
  | { kind: 'unknown' }
  | { kind: 'unreachable'; message: string }
  | { kind: 'signed_out'; reason: 'never' | 'ended' | 'left' }
  | { kind: 'signed_in'; user: User };

const HOME = '/projects';
export const session = signal<SessionState>({ kind: 'unknown' });

/** Tells the other tabs of this browser to look again. */
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('fs.session');

export function isSignedIn(): boolean {
  return session.value.kind === 'signed_in';
}

/** Asks the server who we are. An answer that a sign-in or sign-out overtook says nothing. */
export async function checkSession(): Promise<void> {
  const before = session.peek();
  try {
    const { body } = await api.session();
    if (session.peek() !== before) return;
    const user = body?.user;
    if (user) session.value = { kind: 'signed_in', user };
    else if (isSignedIn()) endSession();
    else if (session.value.kind !== 'signed_out') session.value = { kind: 'signed_out', reason: 'never' };
  } catch (error) {
    if (session.value.kind === 'unknown' || session.value.kind === 'unreachable') {
      session.value = { kind: 'unreachable', message: error instanceof ApiError ? error.message : String(error) };
    }
  }
}

/** The server says that nobody is signed in. */
export function endSession(): void {
  if (session.value.kind === 'signed_out') return;
  session.value = { kind: 'signed_out', reason: isSignedIn() ? 'ended' : 'never' };
}

/** Remembers this page for after the sign-in. */
export function rememberPlace(): void {
  const path = place.value.path + place.value.search;
  if (path !== '/' && !path.startsWith('/signin')) writeStored('local', 'return', path);
}

export async function signInByToken(token: string): Promise<void> {
  const { body } = await api.signIn(token);
  session.value = { kind: 'signed_in', user: body.user };
  channel?.postMessage('changed');
  const back = readStored('local', 'return');
  writeStored('local', 'return', null);
  navigate(back && isLocalPath(back) ? back : HOME, 'replace');
}

/** Leaves for GitHub; it sends the browser back to where it was. */
export async function signInByGitHub(): Promise<void> {
  const back = readStored('local', 'return');
  const { body } = await api.beginGitHub(back && isLocalPath(back) ? back : HOME);
  writeStored('local', 'return', null);
  location.assign(body.url);
}

export async function signOut(): Promise<void> {
  await api.signOut();
  leaveSession();
}

/** The session is ended on the server. */
export function leaveSession(): void {
  session.value = { kind: 'signed_out', reason: 'left' };
  writeStored('local', 'return', null);
  channel?.postMessage('changed');
  navigate('/', 'replace');
}

/** Call once. */
export function startSession(): void {
  setUnauthorizedHandler(endSession);
  channel?.addEventListener('message', () => void checkSession());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && session.value.kind === 'signed_out') void checkSession();
  });
}
