// SPDX-License-Identifier: MIT
/* Single keys that act, and the dialog that lists them. They rest while something is typed or a dialog is open, and can
 * be switched off, since speech input may press them by accident. */

import { signal } from '@preact/signals';
import { navigate, place } from '../state/nav.ts';
import { setSingleKeys, singleKeys } from '../state/prefs.ts';
import { isSignedIn } from '../state/session.ts';
import { Dialog } from './parts.tsx';

export const isHelpOpen = signal(false);
/** Set by a key pressed on another page; the list takes it when it appears. */
export const wantsSearch = signal(false);

const KEYS: readonly (readonly [string, string, () => void])[] = [
  ['/', 'Search projects', goSearch],
  ['n', 'New project', () => navigate('/projects/new')],
  ['p', 'All projects', () => navigate('/projects')],
  ['?', 'This help', () => (isHelpOpen.value = true)],
];

function goSearch(): void {
  const field = document.querySelector<HTMLInputElement>('input[type="search"]');
  if (field) {
    field.focus();
    field.select();
  } else if (place.value.path !== '/projects') {
    wantsSearch.value = true;
    navigate('/projects');
  }
}

function onKeyDown(event: KeyboardEvent): void {
  if (!singleKeys.value || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!isSignedIn() || document.querySelector('dialog[open]')) return;
  const target = event.target as HTMLElement;
  if (target.isContentEditable || target.closest('input, select, textarea')) return;
  const found = KEYS.find(([key]) => key === event.key);
  if (!found) return;
  event.preventDefault();
  found[2]();
}

/** Call once. */
export function startKeys(): void {
  document.addEventListener('keydown', onKeyDown);
}

export function HelpDialog() {
  const close = (): void => void (isHelpOpen.value = false);
  return (
    <Dialog title="Keyboard" onClose={close}>
      <dl class="keys">
        {KEYS.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>Close a dialog, clear the search</dd>
        </div>
      </dl>
      <label class="check">
        <input type="checkbox" checked={singleKeys.value} onChange={(e) => setSingleKeys(e.currentTarget.checked)} />
        <span>Single keys act</span>
      </label>
      <div class="acts">
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
