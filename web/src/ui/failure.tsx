// SPDX-License-Identifier: MIT
/* What failed, be it a creation, a start, a stop or what was running: where, why, what to do, and the facts to hand on. */

import { allows, blamed, mayAllow, type Blamed, type SandboxView, type StageView } from '../lib/sandbox_state.ts';
import { formatMoment } from '../lib/time.ts';
import { clock, type ProjectAction } from '../net/api.ts';
import { FAILED_WORD, startSandbox, type OpenSandbox } from '../state/sandbox.ts';
import { useAct } from './act.ts';
import { FailedIcon } from './icons.tsx';
import { ActButton, CopyButton, ErrorNote } from './parts.tsx';
import type { PauseAction } from './removal.tsx';

function report(opened: OpenSandbox, view: SandboxView, stage: string): string {
  const facts: [string, string | null | undefined][] = [
    ['Project', `${opened.project?.name ?? ''} (${opened.projectId})`],
    ['Attempt', String(view.attempt)],
    ['Stage', stage],
    ['Code', view.failure?.code],
    ['Cause', view.failure?.message],
    ['Hint', view.failure?.hint],
    ['Request', opened.requestId],
    ['Copied at', new Date(clock.now()).toISOString()],
  ];
  return facts.flatMap(([name, value]) => (value ? [`${name}: ${value}`] : [])).join('\n');
}

interface Remedy {
  action: ProjectAction;
  word: string;
  note: string;
}

const REMEDY: Readonly<Record<Blamed, Remedy>> = {
  creation: { action: 'start', word: 'Retry', note: 'Retry goes on from what exists; stages that are done are kept.' },
  start: { action: 'start', word: 'Retry', note: 'Retry goes on from what exists. The data is kept.' },
  stop: { action: 'stop', word: 'Stop again', note: 'What was still running was left as it is. The data is kept.' },
  repair: {
    action: 'start',
    word: 'Repair now',
    note: 'The server tries it again by itself, at growing intervals; this does it at once. What is missing is made again. Data that is there is kept.',
  },
  environment: { action: 'restart', word: 'Restart', note: 'The data is kept.' },
};

/** Once the server has told that it broke, it is started and no more restarted. */
const START_AGAIN: Remedy = { action: 'start', word: 'Start again', note: 'What is missing is made again. Data that is there is kept.' };

function remedy(view: SandboxView): Remedy {
  const usual = REMEDY[blamed(view)];
  return usual.action === 'restart' && allows(view, 'start') ? START_AGAIN : usual;
}

/** What the card offers first; it needs the server's consent all the same. */
export function remedyOf(view: SandboxView): ProjectAction {
  return remedy(view).action;
}

/** What of a sandbox that ran before could not be made again, by the stage that makes it. */
const PART: Readonly<Record<string, string>> = {
  database: 'The database',
  container: 'The container',
  networking: 'The network access',
  terminal: 'The web terminal',
};

function titleOf(view: SandboxView, stage: StageView | undefined): string {
  if (!stage) return FAILED_WORD[blamed(view)];
  return blamed(view) === 'repair' ? `${PART[stage.id] ?? stage.title} could not be repaired` : `${stage.title} failed`;
}

export function FailureCard(props: { opened: OpenSandbox; view: SandboxView; onPause(action: PauseAction): void }) {
  const { opened, view } = props;
  const act = useAct();
  const failure = view.failure;
  if (!failure) return null;
  const stage = view.stages.find((s) => s.id === failure.stageId);
  const what = titleOf(view, stage);
  const { action, word, note } = remedy(view);
  return (
    <section class="failure" aria-labelledby="failure" data-failure={failure.code ?? 'unknown'}>
      <h3 id="failure">
        <FailedIcon />
        {what}
      </h3>
      <p class="cause">{failure.message}</p>
      {failure.hint && (
        <p>
          <strong>What to do:</strong> {failure.hint}
        </p>
      )}
      <p class="fine">
        {failure.code && <code>{failure.code}</code>}
        {stage?.endedMs != null && <span> at {formatMoment(stage.endedMs)}</span>}
        {opened.requestId && (
          <span>
            {' '}· request <code>{opened.requestId}</code>
          </span>
        )}
      </p>
      {act.error && <ErrorNote error={act.error} title={`${word} was not accepted.`} />}
      <div class="acts">
        {mayAllow(view, action) && action === 'start' && (
          <ActButton act={act} class="primary" isOff={view.areActionsOld} work={() => startSandbox(opened.projectId)}>
            {word}
          </ActButton>
        )}
        {mayAllow(view, action) && action !== 'start' && (
          <button type="button" class="button primary" aria-disabled={view.areActionsOld} onClick={() => !view.areActionsOld && props.onPause(action)}>
            {word}
          </button>
        )}
        <CopyButton text={() => report(opened, view, stage?.title ?? what)} label="Copy error" of="the error as a report" />
      </div>
      {mayAllow(view, action) && <p class="fine">{note}</p>}
    </section>
  );
}
