// SPDX-License-Identifier: MIT
/* The stages of a creation, one row each: icon and word, reason in plain words, own clock, and where the stage lies in
 * the whole. Titles and order are the server's. */

import { attemptEndMs, currentStage, isMoving, type SandboxView, type StageView } from '../lib/sandbox_state.ts';
import { formatDuration, formatTicking } from '../lib/time.ts';
import { serverNow } from '../state/tick.ts';
import { StageIcon, STAGE_WORD } from './status.tsx';

/** "Longer than usual" is said past this many times the usual span, and only if that is a few seconds more. */
const LATE_FACTOR = 2;
const LATE_MARGIN_MS = 5000;
/** Width of the picture of a whole attempt, in its own units. */
const SPAN_UNITS = 1000;
const LEAST_UNITS = 4;

/** Text while the first answer is awaited; the server's titles take its place. */
const SKELETON = [
  'Database Creation', 'Container Provisioning', 'Network Configuration', 'Terminal Initialization', 'Environment Ready',
];

function usual(stage: StageView, elapsedMs: number): string | null {
  if (stage.usualMs === null) return null;
  const isLate = elapsedMs > stage.usualMs * LATE_FACTOR && elapsedMs > stage.usualMs + LATE_MARGIN_MS;
  return isLate ? `longer than the usual ${formatDuration(stage.usualMs)}` : `usually ${formatDuration(stage.usualMs)}`;
}

function StageTime(props: { stage: StageView; isStill: boolean }) {
  const { stage } = props;
  if (stage.status === 'in_progress' && stage.startedMs !== null && !props.isStill) {
    const elapsedMs = serverNow.value - stage.startedMs;
    const note = usual(stage, elapsedMs);
    return (
      <>
        {note && <span class="fine">{note}</span>}
        <span class="time">{formatTicking(elapsedMs)}</span>
      </>
    );
  }
  if (stage.durationMs !== null && stage.status !== 'skipped') return <span class="time">{formatDuration(stage.durationMs)}</span>;
  if (stage.status === 'pending' && stage.usualMs !== null && !props.isStill) return <span class="fine">{usual(stage, 0)}</span>;
  return null;
}

/** Where the stage lies between start and end of the attempt. */
function Span(props: { stage: StageView; view: SandboxView }) {
  const { stage, view } = props;
  if (stage.startedMs === null || view.startedMs === null) return <span class="span" />;
  const endMs = attemptEndMs(view) ?? serverNow.value;
  const unitsPerMs = SPAN_UNITS / Math.max(1, endMs - view.startedMs);
  const x = Math.max(0, (stage.startedMs - view.startedMs) * unitsPerMs);
  const width = Math.max(LEAST_UNITS, ((stage.endedMs ?? endMs) - stage.startedMs) * unitsPerMs);
  return (
    <svg class="span" viewBox={`0 0 ${SPAN_UNITS} 2`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect x={Math.min(x, SPAN_UNITS - LEAST_UNITS)} y="0" width={width} height="2" />
    </svg>
  );
}

function StageRow(props: { stage: StageView; view: SandboxView; isCurrent: boolean }) {
  const { stage, view } = props;
  const reason = stage.status === 'failed' ? null : stage.message;
  return (
    <li class="stage" data-stage={stage.id} data-status={stage.status} aria-current={props.isCurrent ? 'step' : undefined}>
      <StageIcon status={stage.status} />
      <div class="stage-text">
        <p class="stage-title">
          <span>{stage.title}</span> <span class="stage-word">{STAGE_WORD[stage.status]}</span>
        </p>
        {reason && <p class="fine">{reason}</p>}
      </div>
      <p class="stage-time">
        <StageTime stage={stage} isStill={!isMoving(view.status)} />
      </p>
      <Span stage={stage} view={view} />
    </li>
  );
}

export function StageList(props: { view: SandboxView }) {
  const { view } = props;
  const current = currentStage(view);
  return (
    <ol class="stages">
      {view.stages.map((stage) => (
        <StageRow key={stage.id} stage={stage} view={view} isCurrent={stage === current} />
      ))}
    </ol>
  );
}

export function StageSkeleton() {
  return (
    <ol class="stages" aria-busy="true" aria-label="Reading the stages">
      {SKELETON.map((title) => (
        <li key={title} class="stage" data-status="pending">
          <StageIcon status="pending" />
          <div class="stage-text">
            <p class="stage-title">{title}</p>
          </div>
        </li>
      ))}
    </ol>
  );
}

/** The whole attempt's clock. */
export function TotalTime(props: { view: SandboxView }) {
  const { view } = props;
  if (view.startedMs === null) return null;
  const endMs = attemptEndMs(view);
  const text = endMs === null ? formatTicking(serverNow.value - view.startedMs) : formatDuration(endMs - view.startedMs);
  return (
    <p class="total">
      <span class="fine">Total</span> <span class="time">{text}</span>
    </p>
  );
}
