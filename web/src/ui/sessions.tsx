// SPDX-License-Identifier: MIT
/* Where the user is signed in, and the end of that. */

import { useEffect, useState } from 'preact/hooks';
import { ApiError, api } from '../net/api.ts';
import type { SessionInfo } from '../net/types.ts';
import { announce } from '../state/announce.ts';
import { leaveSession } from '../state/session.ts';
import { useAct } from './act.ts';
import { ActButton, Ago, ErrorNote } from './parts.tsx';

function Row(props: { session: SessionInfo; onEnded(): Promise<void> }) {
  const { session } = props;
  const act = useAct();
  const end = async (): Promise<void> => {
    await api.endSession(session.id);
    announce('Session ended.');
    await props.onEnded();
  };
  return (
    <li class="row" data-session={session.id}>
      <div class="row-name">
        <strong>{session.userAgent || 'Unknown program'}</strong>
        <p class="fine">
          {session.address ? `From ${session.address}, signed in ` : 'Signed in '}
          <Ago at={session.createdAt} />
        </p>
        {act.error && <ErrorNote error={act.error} />}
      </div>
      <div class="row-status">
        {session.current ? (
          <span class="tag" data-tone="good">This browser</span>
        ) : (
          <ActButton act={act} class="small" work={end}>
            Sign out<span class="only-read"> {session.userAgent || 'this session'}</span>
          </ActButton>
        )}
      </div>
      <p class="row-time fine">
        {session.lastUsedAt ? <Ago at={session.lastUsedAt} /> : 'Never used'}
      </p>
    </li>
  );
}

export function Sessions() {
  const [list, setList] = useState<SessionInfo[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const others = useAct();
  const all = useAct();
  const load = async (): Promise<void> => {
    try {
      setList((await api.sessions()).body);
      setError(null);
    } catch (e) {
      setError(e as ApiError);
    }
  };
  useEffect(() => void load(), []);
  const endOthers = async (): Promise<void> => {
    await api.endOtherSessions();
    announce('All other sessions ended.');
    await load();
  };
  const endAll = async (): Promise<void> => {
    await api.endAllSessions();
    leaveSession();
  };
  return (
    <section class="card" aria-labelledby="sessions">
      <h2 id="sessions">Where you are signed in</h2>
      {error && <ErrorNote error={error} title="The sessions could not be read." />}
      {!list && !error && <p class="fine">Reading your sessions…</p>}
      {list && (
        <ul class="rows">
          {list.map((session) => (
            <Row key={session.id} session={session} onEnded={load} />
          ))}
        </ul>
      )}
      {(others.error ?? all.error) && <ErrorNote error={(others.error ?? all.error) as ApiError} />}
      <div class="acts">
        <ActButton act={others} work={endOthers} isOff={!list || list.length < 2}>
          Sign out everywhere else
        </ActButton>
        <ActButton act={all} work={endAll}>
          Sign out everywhere
        </ActButton>
      </div>
    </section>
  );
}
