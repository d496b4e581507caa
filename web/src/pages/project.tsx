// SPDX-License-Identifier: MIT
/* One project: how far its sandbox is, where it is reached, and what can be done with it. */

import { useEffect, useState } from 'preact/hooks';
import {
  allows, areStagesNews, blamed, finishedStages, isEnding, mayAllow, type Blamed, type SandboxView, type Warning,
} from '../lib/sandbox_state.ts';
import type { ProjectAction } from '../net/api.ts';
import type { Project } from '../net/types.ts';
import { clearNotice, notice } from '../state/notice.ts';
import { projects } from '../state/projects.ts';
import {
  actOnProject, closeSandbox, keepRunning, loadSandbox, opened, openSandbox, sentence, startSandbox, type OpenSandbox,
} from '../state/sandbox.ts';
import { watchUse } from '../state/use.ts';
import { useAct } from '../ui/act.ts';
import { Addresses } from '../ui/addresses.tsx';
import { FailureCard, remedyOf } from '../ui/failure.tsx';
import { BackIcon } from '../ui/icons.tsx';
import { LimitsCard } from '../ui/limits.tsx';
import { PageHeading, usePageTitle } from '../ui/page.tsx';
import { ActButton, Ago, ErrorNote } from '../ui/parts.tsx';
import { QueueCard } from '../ui/queue.tsx';
import { DeleteProjectDialog, PauseDialog, RemoveSandboxDialog, type PauseAction } from '../ui/removal.tsx';
import { RepositoryCard } from '../ui/repository.tsx';
import { StageList, StageSkeleton, TotalTime } from '../ui/stages.tsx';
import { SANDBOX_WORD, SandboxTag } from '../ui/status.tsx';
import { NotFoundPage } from './not_found.tsx';

type OpenDialog = 'none' | 'remove' | 'delete' | PauseAction;

const PAUSE_WORD: Readonly<Record<PauseAction, string>> = { stop: 'Stop', restart: 'Restart' };

const FAILED_TITLE: Readonly<Record<Blamed, string>> = {
  creation: 'The environment was not created',
  start: 'The environment was not started',
  stop: 'The environment was not stopped',
  repair: 'The environment was not repaired',
  environment: 'The environment needs a look',
};

function cardTitle(view: SandboxView): string {
  const { status } = view;
  if (view.queue) return 'Waiting for its turn';
  if (status === 'creating' || status === 'starting') {
    return `${status === 'creating' ? 'Creating' : 'Starting'} the environment, ${finishedStages(view)} of ${view.stages.length} done`;
  }
  if (status === 'running') return 'The environment is ready';
  if (status === 'error') return FAILED_TITLE[blamed(view)];
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
      {(isFirst || mayAllow(view, 'start')) && (
        <div class="acts">
          <ActButton act={act} class="primary" isOff={!isFirst && view.areActionsOld} work={() => startSandbox(props.projectId)}>
            Create sandbox
          </ActButton>
        </div>
      )}
    </div>
  );
}

function StartCard(props: { projectId: string; view: SandboxView }) {
  const act = useAct();
  return (
    <div class="start">
      <p>Its data is kept. A start brings it all back at the same addresses.</p>
      {act.error && <ErrorNote error={act.error} title="The environment was not started." />}
      {mayAllow(props.view, 'start') && (
        <div class="acts">
          <ActButton act={act} class="primary" isOff={props.view.areActionsOld} work={() => actOnProject(props.projectId, 'start')}>
            Start
          </ActButton>
        </div>
      )}
    </div>
  );
}

function WarningNote(props: { projectId: string; warning: Warning }) {
  const act = useAct();
  const { warning } = props;
  return (
    <div class="start">
      <div class="note" data-tone="warn" data-warning>
        <p>{sentence(warning.words)}</p>
        {act.error && <p>{act.error.message}</p>}
        {warning.isKeptByUse && (
          <ActButton act={act} work={() => keepRunning(props.projectId)}>
            Keep it running
          </ActButton>
        )}
      </div>
    </div>
  );
}

function EndingCard(props: { view: SandboxView }) {
  return (
    <div class="start">
      <p class="cause" data-words>
        {props.view.words ?? 'Asking for it'}
      </p>
      <p class="fine">You can close this page; it goes on.</p>
    </div>
  );
}

/** What the card offers already, above its foot. */
function offeredAbove(view: SandboxView): ProjectAction | null {
  if (view.status === 'stopped' || view.status === 'terminated') return 'start';
  return view.status === 'error' ? remedyOf(view) : null;
}

function removeWord(view: SandboxView): string | null {
  if (view.status === 'creating') return allows(view, 'stop') ? null : 'Cancel creation';
  if (view.status === 'error' && blamed(view) === 'creation') return 'Remove what was made';
  return ['starting', 'running', 'stopped', 'error'].includes(view.status) ? 'Remove sandbox' : null;
}

function footNote({ status, queue }: SandboxView): string {
  if (queue) return 'You can close this page; it keeps its place.';
  if (status === 'creating') return 'You can close this page; the creation goes on.';
  if (status === 'starting') return 'You can close this page; the start goes on.';
  return 'The database keeps its data.';
}

interface CardProps {
  open: OpenSandbox;
  onRemove(): void;
  onPause(action: PauseAction): void;
}

/** What else can be done: of start, stop and restart what the server allows. */
function CardFoot(props: CardProps & { view: SandboxView }) {
  const act = useAct();
  const { view } = props;
  const isOff = view.areActionsOld;
  const above = offeredAbove(view);
  const offers = (action: ProjectAction): boolean => allows(view, action) && action !== above;
  const pauses = (['stop', 'restart'] as const).filter(offers);
  const remove = removeWord(view);
  if (!offers('start') && pauses.length === 0 && !remove) return null;
  return (
    <div class="card-foot">
      {act.error && <ErrorNote error={act.error} title="The environment was not started." />}
      {offers('start') && (
        <ActButton act={act} isOff={isOff} work={() => actOnProject(props.open.projectId, 'start')}>
          Start
        </ActButton>
      )}
      {pauses.map((action) => (
        <button key={action} type="button" class="button" aria-disabled={isOff} onClick={() => !isOff && props.onPause(action)}>
          {PAUSE_WORD[action]}
        </button>
      ))}
      {remove && (
        <button type="button" class="button" onClick={props.onRemove}>
          {remove}
        </button>
      )}
      <p class="fine">{footNote(view)}</p>
    </div>
  );
}

function SandboxCard(props: CardProps) {
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
  const hasStages = areStagesNews(view);
  return (
    <section class="card" aria-labelledby="sandbox" data-view-status={view.status}>
      <div class="card-head">
        <h2 id="sandbox">{view.status === 'not_created' ? 'Sandbox' : cardTitle(view)}</h2>
        {hasStages && view.attempt > 1 && <span class="fine">attempt {view.attempt}</span>}
        {hasStages && !view.queue && <TotalTime view={view} />}
      </div>
      {view.status === 'error' && <FailureCard opened={open} view={view} onPause={props.onPause} />}
      {canCreate && <CreateCard projectId={open.projectId} view={view} />}
      {isEnding(view.status) && <EndingCard view={view} />}
      {view.queue && <QueueCard queue={view.queue} />}
      {view.warning && <WarningNote projectId={open.projectId} warning={view.warning} />}
      {view.status === 'stopped' && <StartCard projectId={open.projectId} view={view} />}
      {hasStages && <StageList view={view} />}
      <CardFoot {...props} view={view} />
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
        <dt>Id</dt>
        <dd>
          <code>{project.id}</code>
        </dd>
      </dl>
      <div class="acts">
        <a class="button" href={`/projects/${encodeURIComponent(project.id)}/environment`}>
          Environment variables
        </a>
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
        {view && <SandboxTag status={view.status} isQueued={view.queue !== null} />}
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
          <RepositoryCard projectId={open.projectId} />
          <LimitsCard projectId={project.id} status={view?.status ?? ''} />
          <Facts project={project} onDelete={() => setDialog('delete')} />
        </div>
      </div>
      {dialog === 'remove' && view && <RemoveSandboxDialog projectId={open.projectId} view={view} onClose={close} />}
      {(dialog === 'stop' || dialog === 'restart') && view && (
        <PauseDialog projectId={open.projectId} action={dialog} view={view} onClose={close} />
      )}
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
  useEffect(() => watchUse(props.id), [props.id]);
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
