// SPDX-License-Identifier: MIT
/* One project: how far its sandbox is, where it is reached, and what can be done with it. */

import { useEffect, useState } from 'preact/hooks';
import { finishedStages, isEnding, type SandboxView } from '../lib/sandbox_state.ts';
import type { Project } from '../net/types.ts';
import { clearNotice, notice } from '../state/notice.ts';
import { projects } from '../state/projects.ts';
import { actOnProject, closeSandbox, loadSandbox, opened, openSandbox, startSandbox, type OpenSandbox } from '../state/sandbox.ts';
import { useAct } from '../ui/act.ts';
import { Addresses } from '../ui/addresses.tsx';
import { FailureCard } from '../ui/failure.tsx';
import { BackIcon } from '../ui/icons.tsx';
import { PageHeading, usePageTitle } from '../ui/page.tsx';
import { Ago, ErrorNote } from '../ui/parts.tsx';
import { DeleteProjectDialog, PauseDialog, RemoveSandboxDialog } from '../ui/removal.tsx';
import { StageList, StageSkeleton, TotalTime } from '../ui/stages.tsx';
import { SANDBOX_WORD, SandboxTag } from '../ui/status.tsx';
import { NotFoundPage } from './not_found.tsx';

type OpenDialog = 'none' | 'remove' | 'delete' | 'stop' | 'restart';

/** Nothing in the stages is to blame for a stop that failed. */
const hasFailedToStop = (view: SandboxView): boolean => view.status === 'error' && view.failure?.stageId === null;

function cardTitle(view: SandboxView): string {
  const { status } = view;
  if (status === 'creating' || status === 'starting') {
    return `${status === 'creating' ? 'Creating' : 'Starting'} the environment, ${finishedStages(view)} of ${view.stages.length} done`;
  }
  if (status === 'running') return 'The environment is ready';
  if (hasFailedToStop(view)) return 'The environment needs a look';
  if (status === 'error') return 'The environment was not created';
  if (status === 'stopping') return 'Stopping the environment';
  if (status === 'stopped') return 'The environment is stopped';
  if (isEnding(status)) return 'Removing the sandbox';
  return view.wasCancelled ? 'The creation was cancelled' : 'The sandbox was removed';
}

function CreateCard(props: { projectId: string; view: SandboxView }) {
  const act = useAct();
  const { view } = props;
  const isFirst = view.status === 'not_created';
  return (
    <div class="start">
      <p>
        {isFirst
          ? 'This project has no sandbox yet. Creating one makes a PostgreSQL database, a container with a web terminal, and two addresses.'
          : 'The database and its data are kept. A sandbox created now uses them.'}
      </p>
      {act.error && <ErrorNote error={act.error} title="The sandbox was not created." />}
      <div class="acts">
        <button type="button" class="button primary" disabled={act.isBusy} onClick={() => act.run(() => startSandbox(props.projectId))}>
          {act.isBusy ? 'Asking…' : 'Create sandbox'}
        </button>
      </div>
    </div>
  );
}

function StartCard(props: { projectId: string }) {
  const act = useAct();
  return (
    <div class="start">
      <p>Nothing of it runs. The database and its data, the settings and both addresses are kept.</p>
      {act.error && <ErrorNote error={act.error} title="The environment was not started." />}
      <div class="acts">
        <button type="button" class="button primary" disabled={act.isBusy} onClick={() => act.run(() => actOnProject(props.projectId, 'start'))}>
          {act.isBusy ? 'Asking…' : 'Start'}
        </button>
      </div>
    </div>
  );
}

function CardFoot(props: { view: SandboxView; onRemove(): void; onPause(action: 'stop' | 'restart'): void }) {
  const { status, actions } = props.view;
  if (status === 'creating') {
    return (
      <div class="card-foot">
        <button type="button" class="button" onClick={props.onRemove}>
          Cancel creation
        </button>
        <p class="fine">You can close this page; the creation goes on.</p>
      </div>
    );
  }
  if (status !== 'running' && status !== 'error' && status !== 'stopped' && status !== 'starting') return null;
  return (
    <div class="card-foot">
      {actions.includes('stop') && (
        <button type="button" class="button" onClick={() => props.onPause('stop')}>
          Stop
        </button>
      )}
      {actions.includes('restart') && (
        <button type="button" class="button" onClick={() => props.onPause('restart')}>
          Restart
        </button>
      )}
      <button type="button" class="button" onClick={props.onRemove}>
        {status === 'error' ? 'Remove what was made' : 'Remove sandbox'}
      </button>
      <p class="fine">The database stays.</p>
    </div>
  );
}

function SandboxCard(props: { open: OpenSandbox; onRemove(): void; onPause(action: 'stop' | 'restart'): void }) {
  const { open } = props;
  const view = open.view;
  if (!view) {
    return (
      <section class="card" aria-label="Sandbox">
        <StageSkeleton />
      </section>
    );
  }
  const canCreate = view.status === 'not_created' || view.status === 'terminated';
  // What a creation did says nothing of an environment that is being stopped or is.
  const isPaused = view.status === 'stopping' || view.status === 'stopped';
  return (
    <section class="card" aria-labelledby="sandbox" data-view-status={view.status}>
      <div class="card-head">
        <h2 id="sandbox">{view.status === 'not_created' ? 'Sandbox' : cardTitle(view)}</h2>
        {view.attempt > 1 && <span class="fine">attempt {view.attempt}</span>}
        {!canCreate && !isPaused && <TotalTime view={view} />}
      </div>
      {view.status === 'error' && <FailureCard opened={open} view={view} />}
      {canCreate && <CreateCard projectId={open.projectId} view={view} />}
      {isEnding(view.status) && view.words && <p data-words>{view.words}</p>}
      {view.status === 'stopped' && <StartCard projectId={open.projectId} />}
      {view.stages.length > 0 && !canCreate && !isPaused && <StageList view={view} />}
      <CardFoot view={view} onRemove={props.onRemove} onPause={props.onPause} />
    </section>
  );
}

function Facts(props: { project: Project; onDelete(): void }) {
  const { project } = props;
  return (
    <section class="card" aria-labelledby="facts">
      <h2 id="facts">Project</h2>
      <dl class="facts">
        <dt>Created</dt>
        <dd>
          <Ago at={project.createdAt} />
        </dd>
        {project.githubRepo && (
          <>
            <dt>Repository</dt>
            <dd>{project.githubRepo}</dd>
          </>
        )}
        <dt>Id</dt>
        <dd>
          <code>{project.id}</code>
        </dd>
      </dl>
      <div class="acts">
        <button type="button" class="button quiet-danger" onClick={props.onDelete}>
          Delete project…
        </button>
      </div>
    </section>
  );
}

function OpenedProject(props: { open: OpenSandbox; project: Project }) {
  const { open, project } = props;
  const view = open.view;
  const [dialog, setDialog] = useState<OpenDialog>('none');
  const close = (): void => setDialog('none');
  const hasAddresses = view !== null && (view.publicUrl !== null || view.ttydUrl !== null) && view.status !== 'terminated';
  usePageTitle(view ? `${project.name}: ${SANDBOX_WORD[view.status]}` : project.name);
  return (
    <div class="page">
      <a class="back" href="/projects">
        <BackIcon />
        Projects
      </a>
      <div class="page-head">
        <PageHeading>{project.name}</PageHeading>
        {view && <SandboxTag status={view.status} />}
      </div>
      {project.description && <p class="lead">{project.description}</p>}
      {notice.value && <ErrorNote error={notice.value} title="The project was created, its sandbox was not." />}
      {open.error && (
        <ErrorNote error={open.error} title="What you see may be out of date.">
          <button type="button" class="button small" onClick={() => void loadSandbox(open.projectId)}>
            Try again
          </button>
        </ErrorNote>
      )}
      <div class="columns">
        <SandboxCard open={open} onRemove={() => setDialog('remove')} onPause={setDialog} />
        <div class="aside">
          {hasAddresses && <Addresses view={view} />}
          <Facts project={project} onDelete={() => setDialog('delete')} />
        </div>
      </div>
      {dialog === 'remove' && view && <RemoveSandboxDialog projectId={open.projectId} view={view} onClose={close} />}
      {(dialog === 'stop' || dialog === 'restart') && <PauseDialog projectId={open.projectId} action={dialog} onClose={close} />}
      {dialog === 'delete' && <DeleteProjectDialog project={project} onClose={close} />}
    </div>
  );
}

export function ProjectPage(props: { id: string }) {
  useEffect(() => {
    openSandbox(props.id, projects.peek()?.find((p) => p.id === props.id) ?? null);
    return () => {
      closeSandbox();
      clearNotice();
    };
  }, [props.id]);
  const open = opened.value;
  if (open?.projectId !== props.id) return null;
  if (open.view?.wasDeleted) return <NotFoundPage what="This project was deleted" />;
  if (open.error?.status === 404) return <NotFoundPage what="There is no such project" />;
  if (open.project) return <OpenedProject open={open} project={open.project} />;
  if (!open.error) return <p class="page fine">Reading the project…</p>;
  return (
    <div class="page">
      <ErrorNote error={open.error} title="The project could not be read.">
        <button type="button" class="button small" onClick={() => openSandbox(props.id, null)}>
          Try again
        </button>
      </ErrorNote>
    </div>
  );
}
