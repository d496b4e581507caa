// SPDX-License-Identifier: MIT
/* How long a sandbox may run: the times in force, who has set them, and a form for the project's own. */

import { Fragment } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatSpan } from '../lib/time.ts';
import { ApiError, api } from '../net/api.ts';
import type { Limits } from '../net/types.ts';
import { announce } from '../state/announce.ts';
import { wantUse } from '../state/use.ts';
import { useAct } from './act.ts';
import { errorOf, Field } from './field.tsx';
import { Dialog, ErrorNote } from './parts.tsx';

type Name = 'idleStopSeconds' | 'maxAgeSeconds';

const NAMES: readonly Name[] = ['idleStopSeconds', 'maxAgeSeconds'];
const TITLE: Readonly<Record<Name, string>> = { idleStopSeconds: 'Stops when unused for', maxAgeSeconds: 'Stops at the latest after' };

const NOTE: Readonly<Record<Name, string>> = {
  idleStopSeconds: 'Since somebody last changed something, or had this page open and in use.',
  maxAgeSeconds: 'Since it was created, started or restarted, used or not.',
};

function span(seconds: number | null): string {
  return seconds ? formatSpan(seconds * 1000) : 'never';
}

/** Who has set what is in force. An own time beyond the server's does not hold where the server does not let it. */
function origin(own: number | null, effective: number | null): string {
  if (own === null) return 'set by the server';
  return own === (effective ?? 0) ? 'set for this project' : `the server’s; this project asks for ${span(own)}`;
}

type Choice = 'server' | 'never' | 'own';

interface Draft {
  choice: Choice;
  minutes: string;
}

function draftOf(own: number | null): Draft {
  if (own === null) return { choice: 'server', minutes: '' };
  return own === 0 ? { choice: 'never', minutes: '' } : { choice: 'own', minutes: String(own / 60) };
}

/** What a time of its own may be, as the server says in seconds. */
const LEAST_S = 60;
const MOST_S = 366 * 24 * 3600;

/** null: as the server is configured. */
function secondsOf({ choice, minutes }: Draft): number | null {
  if (choice === 'own') return Math.round(Number(minutes) * 60);
  return choice === 'never' ? 0 : null;
}

function isWrong(draft: Draft): boolean {
  const seconds = secondsOf(draft) ?? LEAST_S;
  return draft.choice === 'own' && !(seconds >= LEAST_S && seconds <= MOST_S);
}

function LimitField(props: { name: Name; draft: Draft; error: string | undefined; onChange(draft: Draft): void }) {
  const { name, draft } = props;
  return (
    <>
      <Field id={name} label={TITLE[name]} note={NOTE[name]} error={draft.choice === 'own' ? undefined : props.error}>
        {(a) => (
          <select {...a} value={draft.choice} onChange={(e) => props.onChange({ ...draft, choice: e.currentTarget.value as Choice })}>
            <option value="server">As the server is configured</option>
            <option value="own">A time of its own</option>
            <option value="never">Never</option>
          </select>
        )}
      </Field>
      {draft.choice === 'own' && (
        <Field id={`${name}-minutes`} label="Minutes" note="The data is kept." error={props.error}>
          {(a) => (
            <input {...a} type="number" inputMode="decimal" min={1} step="any" value={draft.minutes}
              onInput={(e) => props.onChange({ ...draft, minutes: e.currentTarget.value })} />
          )}
        </Field>
      )}
    </>
  );
}

function LimitsDialog(props: { projectId: string; limits: Limits; onClose(): void; onChanged(limits: Limits): void }) {
  const [drafts, setDrafts] = useState({
    idleStopSeconds: draftOf(props.limits.idleStopSeconds),
    maxAgeSeconds: draftOf(props.limits.maxAgeSeconds),
  });
  const [wrong, setWrong] = useState<Name | null>(null);
  const act = useAct();
  const fields = act.error?.fields ?? [];
  const save = async (): Promise<void> => {
    const body = { idleStopSeconds: secondsOf(drafts.idleStopSeconds), maxAgeSeconds: secondsOf(drafts.maxAgeSeconds) };
    const { body: limits } = await api.setLimits(props.projectId, body);
    announce('The time limits are stored.');
    props.onChanged(limits);
    props.onClose();
  };
  return (
    <Dialog title="Change the time limits" onClose={props.onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const refused = NAMES.find((name) => isWrong(drafts[name])) ?? null;
          setWrong(refused);
          if (!refused) act.run(save);
        }}
      >
        {NAMES.map((name) => (
          <LimitField key={name} name={name} draft={drafts[name]} error={wrong === name ? 'Say how many minutes, from 1 to 527040, which is 366 days.' : errorOf(fields, `/${name}`)}
            onChange={(draft) => setDrafts({ ...drafts, [name]: draft })} />
        ))}
        {act.error && fields.length === 0 && <ErrorNote error={act.error} title="They were not stored." />}
        <div class="acts">
          <button type="submit" class="button primary" disabled={act.isBusy}>
            {act.isBusy ? 'Storing…' : 'Store'}
          </button>
          <button type="button" class="button" onClick={props.onClose}>
            Leave them
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** status: when it changes the limits are read again, for the time of the next stop hangs on it. */
export function LimitsCard(props: { projectId: string; status: string }) {
  const [limits, setLimits] = useState<Limits | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [isOpen, setOpen] = useState(false);
  const take = (told: Limits): void => {
    wantUse(told);
    setLimits(told);
    setError(null);
  };
  const read = (): void => {
    api.limits(props.projectId).then(({ body }) => take(body), (e: unknown) => setError(e as ApiError));
  };
  useEffect(read, [props.projectId, props.status]);
  return (
    <section class="card" aria-labelledby="limits" data-limits>
      <h2 id="limits">Time limits</h2>
      {error && (
        <ErrorNote error={error} title="They could not be read.">
          <button type="button" class="button small" onClick={read}>
            Try again
          </button>
        </ErrorNote>
      )}
      {limits && (
        <dl class="facts">
          {NAMES.map((name) => (
            <Fragment key={name}>
              <dt>{TITLE[name]}</dt>
              <dd data-limit={name}>
                {span(limits.effective[name])}
                <span class="fine">, {origin(limits[name], limits.effective[name])}</span>
              </dd>
            </Fragment>
          ))}
        </dl>
      )}
      {limits && (
        <div class="acts">
          <button type="button" class="button" onClick={() => setOpen(true)}>
            Change the limits
          </button>
        </div>
      )}
      {isOpen && limits && <LimitsDialog projectId={props.projectId} limits={limits} onClose={() => setOpen(false)} onChanged={take} />}
    </section>
  );
}
