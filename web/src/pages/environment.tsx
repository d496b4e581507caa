// SPDX-License-Identifier: MIT
/* The variables of one project: what is set, by category, and how a change reaches the sandbox. */

import { useEffect, useState } from 'preact/hooks';
import { currentStage, type SandboxView } from '../lib/sandbox_state.ts';
import { ApiError, api } from '../net/api.ts';
import type { Category, Variables } from '../net/types.ts';
import { projects } from '../state/projects.ts';
import { closeSandbox, opened, openSandbox } from '../state/sandbox.ts';
import { BackIcon } from '../ui/icons.tsx';
import { PageHeading, usePageTitle } from '../ui/page.tsx';
import { ErrorNote } from '../ui/parts.tsx';
import { SandboxTag } from '../ui/status.tsx';
import { AddVariable, CATEGORY_WORD, PasteVariables, VariableRow } from '../ui/variables.tsx';
import { NotFoundPage } from './not_found.tsx';

function effectOf(view: SandboxView): string {
  if (view.status === 'running') {
    return 'A change restarts the container at once: terminal sessions and running programs end. The database and the addresses stay.';
  }
  if (view.status === 'starting') {
    const stage = currentStage(view);
    return `The container is being started with what is set${stage ? `: ${stage.title}` : ''}. A change made meanwhile may wait for the next start.`;
  }
  return 'A change is stored, and reaches the sandbox at its next start.';
}

/** How a change gets to the sandbox, and that it does. */
function Effect(props: { view: SandboxView }) {
  const { view } = props;
  return (
    <p class="effect" data-effect={view.status}>
      <SandboxTag status={view.status} isQueued={view.queue !== null} />
      <span class="fine">{effectOf(view)}</span>
    </p>
  );
}

function Group(props: { projectId: string; category: Category; variables: Variables; onChanged(): Promise<void> }) {
  const list = props.variables[props.category];
  if (list.length === 0) return null;
  return (
    <section class="card" aria-labelledby={`of-${props.category}`}>
      <h2 id={`of-${props.category}`}>{CATEGORY_WORD[props.category]}</h2>
      <ul class="rows">
        {list.map((variable) => (
          <VariableRow key={variable.id} projectId={props.projectId} variable={variable} onChanged={props.onChanged} />
        ))}
      </ul>
    </section>
  );
}

export function EnvironmentPage(props: { id: string }) {
  const { id } = props;
  const [variables, setVariables] = useState<Variables | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const load = async (): Promise<void> => {
    try {
      setVariables((await api.variables(id)).body);
      setError(null);
    } catch (e) {
      setError(e as ApiError);
    }
  };
  useEffect(() => {
    openSandbox(id, projects.peek()?.find((p) => p.id === id) ?? null);
    void load();
    return closeSandbox;
  }, [id]);
  const open = opened.value;
  const name = open?.project?.name;
  usePageTitle(name ? `${name}: variables` : 'Variables');
  if (error?.status === 404 || open?.view?.wasDeleted) return <NotFoundPage what="There is no such project" />;
  const isEmpty = variables !== null && Object.values(variables).every((list) => list.length === 0);
  return (
    <div class="page account">
      <a class="back" href={`/projects/${encodeURIComponent(id)}`}>
        <BackIcon />
        {name ?? 'Project'}
      </a>
      <PageHeading>Environment variables</PageHeading>
      {open?.view && <Effect view={open.view} />}
      {error && <ErrorNote error={error} title="The variables could not be read." />}
      {!variables && !error && <p class="fine">Reading the variables…</p>}
      {isEmpty && <p class="fine">None is set. DATABASE_URL and NODE_ENV are always there.</p>}
      {variables &&
        (Object.keys(CATEGORY_WORD) as Category[]).map((category) => (
          <Group key={category} projectId={id} category={category} variables={variables} onChanged={load} />
        ))}
      <AddVariable projectId={id} onChanged={load} />
      <PasteVariables projectId={id} onChanged={load} />
    </div>
  );
}
