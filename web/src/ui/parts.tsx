// SPDX-License-Identifier: MIT
/* Small pieces that several pages use: a copy button, an error note, a moment in time, a dialog. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { formatAgo, formatMoment, parseTime } from '../lib/time.ts';
import { ApiError } from '../net/api.ts';
import { announce } from '../state/announce.ts';
import { serverNow } from '../state/tick.ts';
import type { Act } from './act.ts';
import { copyText } from './clipboard.ts';
import { holdFocus } from './focus.ts';
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

interface ActButtonProps {
  act: Act;
  work(): Promise<void>;
  class?: string;
  /** Not to be asked for now. */
  isOff?: boolean;
  children: ComponentChildren;
}

/** A button that asks the server. It keeps the focus while it waits, and leaves it to the heading when it goes. */
export function ActButton(props: ActButtonProps) {
  const { act, isOff = false } = props;
  return (
    <button
      type="button"
      class={`button ${props.class ?? ''}`}
      aria-disabled={act.isBusy || isOff}
      onClick={(event) => {
        if (act.isBusy || isOff) return;
        holdFocus(event.currentTarget);
        act.run(props.work);
      }}
    >
      {act.isBusy ? 'Asking…' : props.children}
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

/** A modal dialog, open while it is rendered. The browser keeps the focus inside; afterwards it goes back to what opened
 * the dialog, or to the page's heading if that is gone. */
export function Dialog(props: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    ref.current?.showModal();
    return () => holdFocus(opener);
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
