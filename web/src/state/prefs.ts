// SPDX-License-Identifier: MIT
/* What this browser remembers: the theme, whether single keys act, and where the event stream was. Storage may be
 * forbidden; then nothing is remembered and everything else works. */

import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export function readStored(storage: 'local' | 'session', key: string): string | null {
  try {
    return (storage === 'local' ? localStorage : sessionStorage).getItem(`fs.${key}`);
  } catch {
    return null;
  }
}

export function writeStored(storage: 'local' | 'session', key: string, value: string | null): void {
  try {
    const store = storage === 'local' ? localStorage : sessionStorage;
    if (value === null) store.removeItem(`fs.${key}`);
    else store.setItem(`fs.${key}`, value);
  } catch {
    // Full or forbidden: remembering is a convenience.
  }
}

function storedTheme(): Theme {
  const stored = readStored('local', 'theme') as Theme | null;
  return stored && THEMES.includes(stored) ? stored : 'system';
}

export const theme = signal<Theme>(storedTheme());

export function setTheme(value: Theme): void {
  theme.value = value;
  writeStored('local', 'theme', value === 'system' ? null : value);
  applyTheme();
}

/** Puts the theme on the root element; the style sheet does the rest. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = theme.value;
}

export const singleKeys = signal(readStored('local', 'keys') !== 'off');

export function setSingleKeys(isOn: boolean): void {
  singleKeys.value = isOn;
  writeStored('local', 'keys', isOn ? null : 'off');
}
