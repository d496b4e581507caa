// SPDX-License-Identifier: MIT
/* The form for a new project. What the server refuses stands next to its field. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { clusterChoices, type ClusterChoice } from '../lib/clusters.ts';
import { ApiError, api, newIdempotencyKey, type FieldError } from '../net/api.ts';
import { navigate } from '../state/nav.ts';
import { putProject } from '../state/projects.ts';
import { leaveNotice } from '../state/notice.ts';
import { useAct } from '../ui/act.ts';
import { errorOf, Field } from '../ui/field.tsx';
import { BackIcon } from '../ui/icons.tsx';
import { PageHeading, usePageTitle } from '../ui/page.tsx';
import { ErrorNote } from '../ui/parts.tsx';

interface Draft {
  name: string;
  description: string;
  /** '': the server's default. */
  cluster: string;
  wantsSandbox: boolean;
}

async function create(draft: Draft, key: string): Promise<void> {
  const description = draft.description.trim();
  const wish = { name: draft.name.trim(), ...(description && { description }), ...(draft.cluster && { cluster: draft.cluster }) };
  const { body } = await api.createProject(wish, key);
  putProject(body);
  if (draft.wantsSandbox) {
    // The project exists by now: a sandbox that does not start is that project's page to tell.
    await api.startSandbox(body.id, newIdempotencyKey()).catch((error: unknown) => leaveNotice(error as ApiError));
  }
  navigate(`/projects/${encodeURIComponent(body.id)}`, 'replace');
}

const FIELDS = ['/name', '/description', '/cluster'];

interface FieldsProps {
  draft: Draft;
  clusters: readonly ClusterChoice[];
  errors: readonly FieldError[];
  edit(part: Partial<Draft>): void;
}

function Fields({ draft, clusters, errors, edit }: FieldsProps) {
  return (
    <>
      <Field
        id="name"
        label="Name"
        note="Its letters, digits and hyphens name what is made in the cluster."
        error={errorOf(errors, '/name')}
      >
        {(a) => (
          <input {...a} name="name" required autocomplete="off" spellcheck={false} value={draft.name}
            onInput={(e) => edit({ name: e.currentTarget.value })} />
        )}
      </Field>
      <Field
        id="description"
        label="Description"
        note="Optional. Shown in the list and found by the search."
        error={errorOf(errors, '/description')}
      >
        {(a) => (
          <textarea {...a} name="description" rows={3} value={draft.description}
            onInput={(e) => edit({ description: e.currentTarget.value })} />
        )}
      </Field>
      {clusters.length > 0 && (
        <Field
          id="cluster"
          label="Cluster"
          note="Where its database and container will be. It stays there."
          error={errorOf(errors, '/cluster')}
        >
          {(a) => (
            <select {...a} name="cluster" value={draft.cluster || clusters[0]?.name}
              onChange={(e) => edit({ cluster: e.currentTarget.value })}>
              {clusters.map((c) => (
                <option key={c.name} value={c.name}>{c.label}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      <label class="check">
        <input type="checkbox" name="sandbox" checked={draft.wantsSandbox}
          onChange={(e) => edit({ wantsSandbox: e.currentTarget.checked })} />
        <span>
          Create its sandbox at once
          <span class="fine">Database, container, addresses and terminal. You can also do that later.</span>
        </span>
      </label>
    </>
  );
}

export function NewProjectPage() {
  usePageTitle('New project');
  const [draft, setDraft] = useState<Draft>({ name: '', description: '', cluster: '', wantsSandbox: true });
  const [clusters, setClusters] = useState<ClusterChoice[]>([]);
  const [own, setOwn] = useState<FieldError[]>([]);
  const [key, setKey] = useState(newIdempotencyKey);
  const form = useRef<HTMLFormElement>(null);
  const act = useAct();
  const fields = own.length > 0 ? own : (act.error?.fields ?? []);
  const isTold = act.error !== null && act.error.fields.some((f) => FIELDS.includes(f.pointer));

  useEffect(() => {
    if (fields.length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [fields]);

  useEffect(() => {
    // Without an answer there is no choice, and the server's default serves.
    api.clusters().then(({ body }) => setClusters(clusterChoices(body)), () => {});
  }, []);

  const edit = (part: Partial<Draft>): void => {
    setDraft({ ...draft, ...part });
    // Another body is another act.
    setKey(newIdempotencyKey());
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const isNamed = draft.name.trim() !== '';
    setOwn(isNamed ? [] : [{ pointer: '/name', detail: 'Give the project a name.' }]);
    if (isNamed) act.run(() => create(draft, key));
  };

  return (
    <div class="narrow">
      <a class="back" href="/projects">
        <BackIcon />
        Projects
      </a>
      <PageHeading>New project</PageHeading>
      {act.error && !isTold && <ErrorNote error={act.error} title="The project was not created." />}
      <form ref={form} onSubmit={submit} noValidate>
        <Fields draft={draft} clusters={clusters} errors={fields} edit={edit} />
        <div class="acts">
          <button type="submit" class="button primary" disabled={act.isBusy}>
            {act.isBusy ? 'Creating…' : 'Create project'}
          </button>
          <a class="button" href="/projects">
            Back
          </a>
        </div>
      </form>
    </div>
  );
}
