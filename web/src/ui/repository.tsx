// SPDX-License-Identifier: MIT
/* The repository at GitHub that a project is connected with: which one, connecting one, having one made, and its end. What
 * is shown is what GitHub told the server, and when. */

import { useEffect, useState } from 'preact/hooks';
import { ApiError, api, newIdempotencyKey } from '../net/api.ts';
import type { Repository, RepositoryWish } from '../net/types.ts';
import { announce } from '../state/announce.ts';
import { rememberPlace, signInByGitHub } from '../state/session.ts';
import { useAct, type Act } from './act.ts';
import { errorOf, Field } from './field.tsx';
import { webAddress } from './addresses.tsx';
import { ActButton, Ago, ErrorNote } from './parts.tsx';

type Manner = 'connect' | 'private' | 'public';

const MANNER_WORD: Readonly<Record<Manner, string>> = {
  connect: 'Connect one that is there',
  private: 'Make a new one, private',
  public: 'Make a new one, public',
};

interface BodyProps {
  projectId: string;
  repository: Repository;
  onChanged(): Promise<void>;
}

/** What GitHub or the server refused, and the way on where there is one. */
function Refusal(props: { act: Act; title: string }) {
  const signIn = useAct();
  const { error } = props.act;
  if (!error) return null;
  const again = async (): Promise<void> => {
    rememberPlace();
    await signInByGitHub();
  };
  return (
    <ErrorNote error={signIn.error ?? error} title={props.title}>
      {error.reason === 'GitHubSignInNeeded' && (
        <ActButton act={signIn} class="small" work={again}>
          Sign in with GitHub again
        </ActButton>
      )}
    </ErrorNote>
  );
}

function ask(props: BodyProps, wish: RepositoryWish): Promise<void> {
  return api.connectRepository(props.projectId, wish, newIdempotencyKey()).then(
    async ({ body }) => {
      announce(`Connected with ${body.githubRepo ?? 'the repository'}.`);
      await props.onChanged();
    },
    async (error: unknown) => {
      await props.onChanged(); // something may have begun
      throw error;
    },
  );
}

async function disconnect(props: BodyProps, said: string): Promise<void> {
  await api.disconnectRepository(props.projectId);
  announce(said);
  await props.onChanged();
}

function Connected(props: BodyProps & { name: string }) {
  const check = useAct();
  const end = useAct();
  const { repository, name } = props;
  const url = webAddress(repository.url);
  return (
    <div class="repository" data-repository={name}>
      <p class="address-text">{url ? <a href={url.href} target="_blank" rel="noopener noreferrer">{name}</a> : <span>{name}</span>}</p>
      <p class="fine">
        {repository.private ? 'Private' : 'Public'}, as GitHub told {repository.checkedAt ? <Ago at={repository.checkedAt} /> : 'once'}.
      </p>
      <Refusal act={check} title="GitHub does not confirm it." />
      {end.error && <ErrorNote error={end.error} title="It is connected still." />}
      <div class="acts">
        <ActButton act={check} class="small" work={() => ask(props, { repoName: name })}>
          Ask GitHub again
        </ActButton>
        <ActButton act={end} class="small" work={() => disconnect(props, `Disconnected from ${name}.`)}>
          Disconnect
        </ActButton>
      </div>
      <p class="fine">Disconnecting changes nothing at GitHub.</p>
    </div>
  );
}

/** Its creation was cut off: the same request finds out what became of it. */
function Pending(props: BodyProps & { name: string }) {
  const act = useAct();
  const end = useAct();
  const { name } = props;
  return (
    <div class="repository" data-pending={name}>
      <div class="note" data-tone="warn">
        <p>
          The creation of <strong>{name}</strong> was cut off: GitHub may have made it or not. Finishing looks for it first, and makes it, private,
          if it is not there.
        </p>
      </div>
      <Refusal act={act} title="It is not finished." />
      {end.error && <ErrorNote error={end.error} />}
      <div class="acts">
        <ActButton act={act} class="small primary" work={() => ask(props, { repoName: name, create: true })}>
          Finish it
        </ActButton>
        <ActButton act={end} class="small" work={() => disconnect(props, `The creation of ${name} is forgotten.`)}>
          Forget it
        </ActButton>
      </div>
      <p class="fine">Forgetting removes nothing at GitHub.</p>
    </div>
  );
}

/** Names that could be connected, asked for when somebody is about to type one; without them it is typed. */
function useSuggestions(): { names: readonly string[]; ask(): void } {
  const [names, setNames] = useState<readonly string[] | null>(null);
  const ask = (): void => {
    if (names) return;
    setNames([]);
    api.repositories().then(({ body }) => setNames(body.repositories.map((r) => r.fullName)), () => setNames(null));
  };
  return { names: names ?? [], ask };
}

function Connect(props: BodyProps) {
  const [name, setName] = useState('');
  const suggestions = useSuggestions();
  const [manner, setManner] = useState<Manner>('connect');
  const act = useAct();
  const fields = act.error?.fields ?? [];
  const isNew = manner !== 'connect';
  const wish = (): RepositoryWish => ({ repoName: name.trim(), ...(isNew && { create: true, private: manner === 'private' }) });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        act.run(() => ask(props, wish()));
      }}
    >
      <div class="field">
        <label for="repository-manner">What to do</label>
        <select id="repository-manner" value={manner} onChange={(e) => setManner(e.currentTarget.value as Manner)}>
          {(Object.keys(MANNER_WORD) as Manner[]).map((m) => (
            <option key={m} value={m}>{MANNER_WORD[m]}</option>
          ))}
        </select>
      </div>
      <Field
        id="repository-name"
        label="Its name"
        note={isNew ? 'As owner/name, or the name alone for one of your own.' : 'As owner/name. You have to be able to see it at GitHub.'}
        error={errorOf(fields, '/repoName')}
      >
        {(attributes) => (
          <input
            {...attributes}
            required
            maxLength={140}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            list={isNew ? undefined : 'repository-names'}
            value={name}
            onFocus={isNew ? undefined : suggestions.ask}
            onInput={(e) => setName(e.currentTarget.value)}
          />
        )}
      </Field>
      <datalist id="repository-names">
        {suggestions.names.map((n) => (
          <option key={n} value={n} />
        ))}
      </datalist>
      {fields.length === 0 && <Refusal act={act} title={isNew ? 'No repository was made.' : 'It is not connected.'} />}
      <div class="acts">
        <button type="submit" class="button" disabled={act.isBusy || name.trim() === ''}>
          {act.isBusy ? 'Asking…' : isNew ? 'Make and connect' : 'Connect'}
        </button>
      </div>
    </form>
  );
}

function Body(props: BodyProps) {
  const { githubRepo, pendingRepo } = props.repository;
  if (githubRepo) return <Connected key={githubRepo} {...props} name={githubRepo} />;
  if (pendingRepo) return <Pending key={pendingRepo} {...props} name={pendingRepo} />;
  return <Connect {...props} />;
}

/** Nothing where the server does not know GitHub and nothing is connected. */
export function RepositoryCard(props: { projectId: string }) {
  const { projectId } = props;
  const [repository, setRepository] = useState<Repository | null>(null);
  const [isOffered, setOffered] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const load = async (): Promise<void> => {
    try {
      setRepository((await api.repository(projectId)).body);
      setError(null);
    } catch (e) {
      setError(e as ApiError);
    }
  };
  useEffect(() => {
    api.providers().then(({ body }) => setOffered('github' in body), () => {});
    void load();
  }, [projectId]);
  const isOf = repository?.connected || repository?.pendingRepo || isOffered;
  if (!isOf || (!repository && !error)) return null;
  return (
    <section class="card" aria-labelledby="repository">
      <h2 id="repository">Repository at GitHub</h2>
      {error && (
        <ErrorNote error={error} title="It could not be read.">
          <button type="button" class="button small" onClick={() => void load()}>
            Try again
          </button>
        </ErrorNote>
      )}
      {repository && <Body projectId={projectId} repository={repository} onChanged={load} />}
    </section>
  );
}
