// SPDX-License-Identifier: MIT
/* What surrounds every page: top bar, account menu, connection notice, live regions, keyboard help. */

import type { ComponentChildren } from 'preact';
import { assertiveText, politeText } from '../state/announce.ts';
import { setTheme, theme, THEMES, type Theme } from '../state/prefs.ts';
import { session, signOut } from '../state/session.ts';
import type { User } from '../net/types.ts';
import { useAct } from './act.ts';
import { ConnectionNotice, ConnectionWord } from './connection.tsx';
import { Mark } from './icons.tsx';
import { HelpDialog, isHelpOpen } from './keys.tsx';
import { ErrorNote } from './parts.tsx';

const THEME_WORD: Readonly<Record<Theme, string>> = { system: 'System', light: 'Light', dark: 'Dark' };

export function ThemeSwitch() {
  return (
    <fieldset class="choice">
      <legend>Theme</legend>
      {THEMES.map((name) => (
        <label key={name}>
          <input type="radio" name="theme" value={name} checked={theme.value === name} onChange={() => setTheme(name)} />
          <span>{THEME_WORD[name]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function initials(user: User): string {
  const words = (user.name ?? user.email ?? '?').split(/[\s@.]+/).filter(Boolean);
  return words
    .slice(0, 2)
    .map((w) => [...w][0] ?? '')
    .join('')
    .toUpperCase();
}

function AccountMenu(props: { user: User }) {
  const { user } = props;
  const act = useAct();
  return (
    <>
      <button type="button" class="avatar" popovertarget="account">
        {initials(user)}
        <span class="only-read">, account of {user.name ?? user.email ?? 'you'}</span>
      </button>
      <div id="account" class="menu" popover="auto">
        <p class="menu-who">
          <strong>{user.name ?? 'No name'}</strong>
          {user.email && <span class="fine">{user.email}</span>}
        </p>
        <ThemeSwitch />
        {act.error && <ErrorNote error={act.error} />}
        <p>
          <a class="button small" href="/account" onClick={() => document.getElementById('account')?.hidePopover()}>
            Sessions and API tokens
          </a>
        </p>
        <div class="menu-acts">
          <button type="button" class="button small" popovertarget="account" onClick={() => (isHelpOpen.value = true)}>
            Keyboard <kbd>?</kbd>
          </button>
          <button type="button" class="button small" disabled={act.isBusy} onClick={() => act.run(signOut)}>
            Sign out
          </button>
        </div>
      </div>
    </>
  );
}

export function Shell(props: { children: ComponentChildren }) {
  const state = session.value;
  const user = state.kind === 'signed_in' ? state.user : null;
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href={user ? '/projects' : '/'}>
          <Mark />
          FullStack Agent
        </a>
        {user && (
          <div class="top-right">
            <ConnectionWord />
            <AccountMenu user={user} />
          </div>
        )}
      </header>
      {user && <ConnectionNotice />}
      <main id="main" tabIndex={-1}>
        {props.children}
      </main>
      {!user && (
        <footer class="foot">
          <ThemeSwitch />
        </footer>
      )}
      {isHelpOpen.value && <HelpDialog />}
      <div class="only-read" role="status" aria-live="polite">
        {politeText}
      </div>
      <div class="only-read" role="alert" aria-live="assertive">
        {assertiveText}
      </div>
    </>
  );
}
