// SPDX-License-Identifier: MIT
/* The two addresses of a sandbox. They are known before anything answers there, so they are text until the sandbox
 * runs and links only then. */

import type { SandboxView } from '../lib/sandbox_state.ts';
import { isEnding, isMoving } from '../lib/sandbox_state.ts';
import { DoneIcon, OpenIcon, PendingIcon, ProgressIcon, StoppedIcon } from './icons.tsx';
import { CopyButton } from './parts.tsx';

/** Only addresses of the web become links, whatever the server sends. */
export function webAddress(text: string | null): URL | null {
  try {
    const url = new URL(text ?? '');
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}

function ReadyTag(props: { view: SandboxView }) {
  const { status } = props.view;
  if (status === 'running') return <span class="tag" data-tone="good" data-ready="yes"><DoneIcon />Ready</span>;
  if (isMoving(status) && !isEnding(status) && !props.view.queue) return <span class="tag" data-tone="busy" data-ready="no"><ProgressIcon />Not ready yet</span>;
  if (status === 'stopped') return <span class="tag" data-tone="quiet" data-ready="no"><StoppedIcon />Kept</span>;
  return <span class="tag" data-tone="quiet" data-ready="no"><PendingIcon />Not ready</span>;
}

function Address(props: { id: string; name: string; note: string; url: string | null; view: SandboxView }) {
  const url = webAddress(props.url);
  const isReady = props.view.status === 'running' && url !== null;
  return (
    <div class="address" data-address={props.id}>
      <div class="address-head">
        <h3>{props.name}</h3>
        <ReadyTag view={props.view} />
      </div>
      <p class="address-text">{isReady ? <a href={url.href} target="_blank" rel="noopener noreferrer">{url.host}</a> : <span>{url?.host ?? 'Not known yet'}</span>}</p>
      <p class="fine">{props.note}</p>
      {isReady && (
        <div class="acts">
          <a class="button small" href={url.href} target="_blank" rel="noopener noreferrer">
            <OpenIcon />
            Open<span class="only-read"> the {props.name.toLowerCase()} in a new tab</span>
          </a>
          <CopyButton text={props.url ?? ''} of={`the address of the ${props.name.toLowerCase()}`} />
        </div>
      )}
    </div>
  );
}

export function Addresses(props: { view: SandboxView }) {
  const { view } = props;
  return (
    <section class="card" aria-labelledby="addresses">
      <h2 id="addresses">Addresses</h2>
      <Address id="terminal" name="Terminal" note="A shell in the sandbox, in the browser." url={view.ttydUrl} view={view} />
      <Address id="app" name="App" note="Shows what listens on port 3000 in the sandbox." url={view.publicUrl} view={view} />
    </section>
  );
}
