// SPDX-License-Identifier: MIT
/* A status as icon and word. The words are this page's; titles of stages come from the server. */

import type { ComponentChild } from 'preact';
import type { SandboxStatus } from '../lib/sandbox_state.ts';
import type { StageStatus } from '../net/types.ts';
import { DoneIcon, FailedIcon, PendingIcon, ProgressIcon, SkippedIcon, StoppedIcon } from './icons.tsx';

export const SANDBOX_WORD: Readonly<Record<SandboxStatus, string>> = {
  not_created: 'No sandbox',
  creating: 'Creating',
  starting: 'Starting',
  running: 'Running',
  stopping: 'Stopping',
  stopped: 'Stopped',
  terminating: 'Removing',
  terminated: 'Removed',
  error: 'Failed',
};

export const STAGE_WORD: Readonly<Record<StageStatus, string>> = {
  pending: 'Waiting',
  in_progress: 'In progress',
  completed: 'Done',
  failed: 'Failed',
  skipped: 'Skipped',
};

type Tone = 'quiet' | 'busy' | 'good' | 'bad';

function sandboxLook(status: SandboxStatus): [Tone, ComponentChild] {
  if (status === 'running') return ['good', <DoneIcon />];
  if (status === 'error') return ['bad', <FailedIcon />];
  if (status === 'not_created') return ['quiet', <PendingIcon />];
  if (status === 'stopped' || status === 'terminated') return ['quiet', <StoppedIcon />];
  return ['busy', <ProgressIcon />];
}

/** isQueued: it waits for its turn, whatever is to be done then. */
export function SandboxTag(props: { status: SandboxStatus; isQueued?: boolean }) {
  if (props.isQueued) {
    return (
      <span class="tag" data-tone="quiet" data-sandbox-status="queued">
        <PendingIcon />
        In the queue
      </span>
    );
  }
  const [tone, icon] = sandboxLook(props.status);
  return (
    <span class="tag" data-tone={tone} data-sandbox-status={props.status}>
      {icon}
      {SANDBOX_WORD[props.status]}
    </span>
  );
}

const STAGE_LOOK: Readonly<Record<StageStatus, [Tone, () => ComponentChild]>> = {
  pending: ['quiet', () => <PendingIcon />],
  in_progress: ['busy', () => <ProgressIcon />],
  completed: ['good', () => <DoneIcon />],
  failed: ['bad', () => <FailedIcon />],
  skipped: ['quiet', () => <SkippedIcon />],
};

export function StageIcon(props: { status: StageStatus }) {
  const [tone, icon] = STAGE_LOOK[props.status];
  return (
    <span class="stage-icon" data-tone={tone}>
      {icon()}
    </span>
  );
}
