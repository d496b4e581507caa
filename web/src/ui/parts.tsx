// SPDX-License-Identifier: MIT
/* Small pieces that several pages use: a copy button, an error note, a moment in time, a dialog. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { formatAgo, formatMoment, parseTime } from '../lib/time.ts';
import { ApiError } from '../net/api.ts';
import { announce } from '../state/announce.ts';
import { serverNow } from '../state/tick.ts';
import { copyText } from './clipboard.ts';
import { CopyIcon } from './icons.tsx';

/** How long "Copied" stays. */
const COPIED_MS = 2000;

/** text: what to copy, or a function that makes it when asked; label: the button's word; of: what it is, for those who cannot see it. */
export function CopyButton(props: { text: string | (() => string); label?: string; of: string; disabled?: boolean }) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => setSaid(null), COPIED_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async (): Promise<void> => {
    const isCopied = await copyText(typeof props.text === 'string' ? props.text : props.text());
    setSaid(isCopied ? 'Copied' : 'Not copied');
    announce(isCopied ? `Copied: ${props.of}.` : `Copying is not allowed here: ${props.of}.`);
  };
  return (
    <button type="button" class="button small" disabled={props.disabled} onClick={() => void copy()}>
      <CopyIcon />
      {said ?? props.label ?? 'Copy'}
      <span class="only-read"> {props.of}</span>
    </button>
  );
}

/** What went wrong in a call, with what a report needs. */
export function ErrorNote(props: { error: ApiError; title?: string; children?: ComponentChildren }) {
  const { error } = props;
  return (
    <div class="note" data-tone="bad" role="alert">
      <p>
        {props.title && <strong>{props.title} </strong>}
        {error.message}
      </p>
      {error.hint && <p>{error.hint}</p>}
      {error.requestId && (
        <p class="fine">
          Request <code>{error.requestId}</code>
        </p>
      )}
      {props.children}
    </div>
  );
}

/** "5 min ago", with the exact moment on demand. */
export function Ago(props: { at: string }) {
  const atMs = parseTime(props.at);
  return (
    <time dateTime={props.at} title={formatMoment(atMs)}>
      {formatAgo(atMs, serverNow.value)}
    </time>
  );
}

interface DialogProps {
  title: string;
  onClose(): void;
  children: ComponentChildren;
}

/** Gives the focus back to what opened a dialog, and holds it on the page until it moves on: the opener may be gone by
 * then, or vanish or be disabled a moment later, when the answer to the dialog arrives. Then the heading has it. Called
 * while the dialog is still there and keeps the page inert, so the browser itself may move the focus once more. */
function giveFocusBack(opener: HTMLElement | null): void {
  const toHeading = (): void => {
    if (document.activeElement === document.body) document.querySelector<HTMLElement>('h1')?.focus();
  };
  const guard = new MutationObserver(toHeading);
  const onMoved = (event: FocusEvent): void => {
    if (event.target === opener || (event.target as Element).closest('dialog')) return;
    guard.disconnect();
    document.removeEventListener('focusin', onMoved);
  };
  guard.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['disabled'] });
  opener?.focus();
  document.addEventListener('focusin', onMoved);
  requestAnimationFrame(() => requestAnimationFrame(toHeading));
}

/** A modal dialog, open while it is rendered. The browser keeps the focus inside; afterwards it goes back to what opened
 * the dialog, or to the page's heading if that is gone. */
export function Dialog(props: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    ref.current?.showModal();
    return () => giveFocusBack(opener);
  }, []);
  return (
    <dialog
      ref={ref}
      class="dialog"
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onClick={(event) => event.target === ref.current && props.onClose()}
    >
      <div class="dialog-body">
        <h2 id="dialog-title">{props.title}</h2>
        {props.children}
      </div>
    </dialog>
  );
}
