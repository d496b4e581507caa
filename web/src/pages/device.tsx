// SPDX-License-Identifier: MIT
/* A program without a browser shows a code; here its user says whether it may act for him. The code in the address only
 * fills the field: nothing is given without a look and a click. */

import { useState } from 'preact/hooks';
import { api } from '../net/api.ts';
import type { DeviceAsked, TokenScope } from '../net/types.ts';
import { place } from '../state/nav.ts';
import { useAct } from '../ui/act.ts';
import { PageHeading, usePageTitle } from '../ui/page.tsx';
import { ActButton, ErrorNote } from '../ui/parts.tsx';
import { SCOPE_WORD } from '../ui/tokens.tsx';

const STRENGTH: readonly TokenScope[] = ['admin', 'write', 'read'];

function strongest(scopes: readonly TokenScope[]): TokenScope {
  return STRENGTH.find((s) => scopes.includes(s)) ?? 'read';
}

function CodeForm(props: { onFound(code: string, asked: DeviceAsked): void }) {
  const [code, setCode] = useState(() => new URLSearchParams(place.peek().search).get('user_code') ?? '');
  const act = useAct();
  const find = async (): Promise<void> => props.onFound(code, (await api.deviceAsked(code)).body);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        act.run(find);
      }}
    >
      <div class="field">
        <label for="code">The code that the program shows</label>
        <input
          id="code"
          required
          maxLength={20}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          value={code}
          onInput={(e) => setCode(e.currentTarget.value)}
        />
      </div>
      {act.error && <ErrorNote error={act.error} />}
      <div class="acts">
        <button type="submit" class="button primary" disabled={act.isBusy || code.trim() === ''}>
          Continue
        </button>
      </div>
    </form>
  );
}

function Decision(props: { code: string; asked: DeviceAsked; onDecided(isAllowed: boolean): void }) {
  const { asked, code } = props;
  const yes = useAct();
  const no = useAct();
  const decide = (isAllowed: boolean) => async (): Promise<void> => {
    await api.decideDevice(code, isAllowed);
    props.onDecided(isAllowed);
  };
  const error = yes.error ?? no.error;
  return (
    <>
      <p>
        <strong>{asked.name}</strong> wants to act for you on this server.
      </p>
      <dl class="facts">
        <dt>It may</dt>
        <dd>{SCOPE_WORD[strongest(asked.scopes)]}</dd>
        <dt>Asked from</dt>
        <dd>{asked.address || 'an unknown address'}{asked.userAgent && `, by ${asked.userAgent}`}</dd>
        <dt>Code</dt>
        <dd><code>{code.toUpperCase()}</code></dd>
      </dl>
      <p>Allow it only if you started this program yourself just now. Nobody else has a reason to send you this code.</p>
      {error && <ErrorNote error={error} />}
      <div class="acts">
        <ActButton act={yes} class="primary" work={decide(true)} isOff={no.isBusy}>
          Allow
        </ActButton>
        <ActButton act={no} work={decide(false)} isOff={yes.isBusy}>
          Refuse
        </ActButton>
      </div>
    </>
  );
}

export function DevicePage() {
  usePageTitle('Let a program in');
  const [found, setFound] = useState<{ code: string; asked: DeviceAsked } | null>(null);
  const [end, setEnd] = useState<string | null>(null);
  const onDecided = (isAllowed: boolean): void =>
    setEnd(isAllowed ? 'The program is let in. It is among your API tokens now.' : 'The program is not let in.');
  return (
    <div class="narrow">
      <PageHeading>Let a program in</PageHeading>
      {end && (
        <p role="status">
          {end} <a href="/account">Your account</a>
        </p>
      )}
      {!end && !found && <CodeForm onFound={(code, asked) => setFound({ code, asked })} />}
      {!end && found && <Decision code={found.code} asked={found.asked} onDecided={onDecided} />}
    </div>
  );
}
