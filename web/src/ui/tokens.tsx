// SPDX-License-Identifier: MIT
/* API tokens: made, shown once, revoked. */

import { useEffect, useState } from 'preact/hooks';
import { ApiError, api, newIdempotencyKey } from '../net/api.ts';
import type { ApiToken, MadeToken, TokenScope } from '../net/types.ts';
import { announce } from '../state/announce.ts';
import { useAct } from './act.ts';
import { Moment } from './moment.tsx';
import { ActButton, Ago, CopyButton, ErrorNote } from './parts.tsx';

/** What each holds, the ones before it included. */
export const SCOPE_WORD: Readonly<Record<TokenScope, string>> = {
  read: 'Read everything of yours',
  write: 'Read and change everything of yours',
  admin: 'Administer this server',
};
const DAYS: readonly number[] = [7, 30, 90, 366];

function Row(props: { token: ApiToken; onRevoked(): Promise<void> }) {
  const { token } = props;
  const act = useAct();
  const revoke = async (): Promise<void> => {
    await api.revokeToken(token.id);
    announce(`Token ${token.name} revoked.`);
    await props.onRevoked();
  };
  return (
    <li class="row" data-token={token.id}>
      <div class="row-name">
        <strong>{token.name}</strong>
        <p class="fine">
          <code>{token.prefix}…</code> may {token.scopes.join(', ')}; {token.expiresAt ? <>ends <Moment at={token.expiresAt} /></> : 'does not end'}
        </p>
        {act.error && <ErrorNote error={act.error} />}
      </div>
      <div class="row-status">
        <ActButton act={act} class="small" work={revoke}>
          Revoke<span class="only-read"> {token.name}</span>
        </ActButton>
      </div>
      <p class="row-time fine">{token.lastUsedAt ? <Ago at={token.lastUsedAt} /> : 'Never used'}</p>
    </li>
  );
}

/** The only time that its text is seen. */
function Made(props: { made: MadeToken; onClose(): void }) {
  const { made } = props;
  return (
    <div class="note" data-tone="good" role="status">
      <p>
        <strong>Token “{made.name}”.</strong> Copy it now: it is not shown again.
      </p>
      <code class="address-text" data-made="token">{made.token}</code>
      <div class="acts">
        <CopyButton text={made.token} of={`the token ${made.name}`} />
        <button type="button" class="button small" onClick={props.onClose}>
          I have it
        </button>
      </div>
    </div>
  );
}

function Maker(props: { isAdmin: boolean; onMade(made: MadeToken): Promise<void> }) {
  const [name, setName] = useState('');
  const [scope, setScope] = useState<TokenScope>('read');
  const [days, setDays] = useState(90);
  const act = useAct();
  const scopes = (Object.keys(SCOPE_WORD) as TokenScope[]).filter((s) => s !== 'admin' || props.isAdmin);
  const make = async (): Promise<void> => {
    const wish = { name: name.trim(), scopes: [scope], expiresInDays: days };
    const { body } = await api.makeToken(wish, newIdempotencyKey());
    setName('');
    await props.onMade(body);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        act.run(make);
      }}
    >
      <div class="field">
        <label for="token-name">Name of a new token</label>
        <input id="token-name" required maxLength={40} autocomplete="off" value={name} onInput={(e) => setName(e.currentTarget.value)} />
      </div>
      <div class="field">
        <label for="token-scope">It may</label>
        <select id="token-scope" value={scope} onChange={(e) => setScope(e.currentTarget.value as TokenScope)}>
          {scopes.map((s) => (
            <option key={s} value={s}>{SCOPE_WORD[s]}</option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="token-days">It ends after</label>
        <select id="token-days" value={days} onChange={(e) => setDays(Number(e.currentTarget.value))}>
          {DAYS.map((d) => (
            <option key={d} value={d}>{d} days</option>
          ))}
        </select>
      </div>
      {act.error && <ErrorNote error={act.error} title="The token was not made." />}
      <div class="acts">
        <button type="submit" class="button" disabled={act.isBusy || name.trim() === ''}>
          {act.isBusy ? 'Asking…' : 'Make token'}
        </button>
      </div>
    </form>
  );
}

export function Tokens(props: { isAdmin: boolean }) {
  const [list, setList] = useState<ApiToken[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [made, setMade] = useState<MadeToken | null>(null);
  const load = async (): Promise<void> => {
    try {
      setList((await api.tokens()).body);
      setError(null);
    } catch (e) {
      setError(e as ApiError);
    }
  };
  useEffect(() => void load(), []);
  const onMade = async (token: MadeToken): Promise<void> => {
    setMade(token);
    await load();
  };
  return (
    <section class="card" aria-labelledby="tokens">
      <h2 id="tokens">API tokens</h2>
      <p class="fine">
        A program shows one as <code>Authorization: Bearer fsa_…</code> and acts as you. Revoke it when you do not know where it is.
      </p>
      {error && <ErrorNote error={error} title="The tokens could not be read." />}
      {list && list.length > 0 && (
        <ul class="rows">
          {list.map((token) => (
            <Row key={token.id} token={token} onRevoked={load} />
          ))}
        </ul>
      )}
      {made && <Made made={made} onClose={() => setMade(null)} />}
      <Maker isAdmin={props.isAdmin} onMade={onMade} />
    </section>
  );
}
