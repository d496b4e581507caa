// SPDX-License-Identifier: MIT
/* A creation that failed: where, why, what to do, and the facts to hand on. */

import type { SandboxView } from '../lib/sandbox_state.ts';
import { formatMoment } from '../lib/time.ts';
import { clock } from '../net/api.ts';
import { startSandbox, type OpenSandbox } from '../state/sandbox.ts';
import { useAct } from './act.ts';
import { FailedIcon } from './icons.tsx';
import { CopyButton, ErrorNote } from './parts.tsx';

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

export function FailureCard(props: { opened: OpenSandbox; view: SandboxView }) {
  const { opened, view } = props;
  const act = useAct();
  const failure = view.failure;
  if (!failure) return null;
  const stage = view.stages.find((s) => s.id === failure.stageId);
  const what = stage?.title ?? 'Creation';
  return (
    <section class="failure" aria-labelledby="failure" data-failure={failure.code ?? 'unknown'}>
      <h3 id="failure">
        <FailedIcon />
        {what} failed
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
      {act.error && <ErrorNote error={act.error} title="Retry was not accepted." />}
      <div class="acts">
        <button
          type="button"
          class="button primary"
          disabled={act.isBusy}
          onClick={() => act.run(() => startSandbox(opened.projectId))}
        >
          {act.isBusy ? 'Asking…' : 'Retry'}
        </button>
        <CopyButton text={() => report(opened, view, what)} label="Copy error" of="the error as a report" />
      </div>
      <p class="fine">Retry goes on from what exists; stages that are done are kept.</p>
    </section>
  );
}
