// SPDX-License-Identifier: MIT
/* The sandbox whose page is open: an answer of the server, moved on by events, checked against the server again
 * whenever its status changes. Also the acts on it. */

import { signal } from '@preact/signals';
import { applyEvent, blamed, finishedStages, viewFromBody, type Blamed, type SandboxView } from '../lib/sandbox_state.ts';
import { ApiError, api, newIdempotencyKey, type ProjectAction } from '../net/api.ts';
import type { JournalEvent, Project } from '../net/types.ts';
import { announce, announceFailure } from './announce.ts';
import { subscribe } from './live.ts';

const REREADS = 3;
/** After a change of status; several in a row cause one read. */
const REREAD_DELAY_MS = 150;

export interface OpenSandbox {
  projectId: string;
  project: Project | null;
  view: SandboxView | null;
  /** Of the newest answer, for an error report. */
  requestId: string | null;
  error: ApiError | null;
}

export const opened = signal<OpenSandbox | null>(null);

let pending: ReturnType<typeof setTimeout> | undefined;

function change(projectId: string, part: Partial<OpenSandbox>): void {
  const now = opened.peek();
  if (now?.projectId === projectId) opened.value = { ...now, ...part };
}

/** Shows this project from now on. */
export function openSandbox(projectId: string, project: Project | null): void {
  opened.value = { projectId, project, view: null, requestId: null, error: null };
  void loadProject(projectId);
  void loadSandbox(projectId);
}

export function closeSandbox(): void {
  clearTimeout(pending);
  opened.value = null;
}

async function loadProject(projectId: string): Promise<void> {
  try {
    const { body } = await api.project(projectId);
    change(projectId, { project: body });
  } catch (error) {
    change(projectId, { error: error as ApiError });
  }
}

/** Reads the sandbox. An answer that events overtook may be older than they are, so it is asked for again. */
export async function loadSandbox(projectId: string): Promise<void> {
  try {
    for (let i = 0; i < REREADS; i++) {
      const before = opened.peek()?.view?.seq ?? 0;
      const { body, requestId } = await api.sandbox(projectId);
      const now = opened.peek();
      if (now?.projectId !== projectId) return;
      const isOvertaken = (now.view?.seq ?? 0) !== before;
      if (isOvertaken && i < REREADS - 1) continue;
      const view = viewFromBody(body, now.view?.seq ?? 0);
      change(projectId, { view, requestId, error: null });
      if (now.view) sayStatus(now.view, view);
      return;
    }
  } catch (error) {
    change(projectId, { error: error as ApiError });
  }
}

function readSoon(projectId: string): void {
  clearTimeout(pending);
  pending = setTimeout(() => void loadSandbox(projectId), REREAD_DELAY_MS);
}

const STATUS_SAID: Readonly<Record<string, string>> = {
  creating: 'Creation started.',
  starting: 'Starting the environment.',
  running: 'Environment ready.',
  stopping: 'Stopping the environment.',
  stopped: 'The environment is stopped. Its data is kept.',
  terminating: 'Removing the sandbox.',
  terminated: 'Sandbox removed.',
};

export const FAILED_WORD: Readonly<Record<Blamed, string>> = {
  creation: 'Creation failed',
  start: 'Start failed',
  stop: 'Stop failed',
  repair: 'Repair failed',
  environment: 'Not running as it should',
};

/** Reasons come from the server in the middle of a sentence. */
export function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith('.') ? '' : '.'}`;
}

function say(before: SandboxView, after: SandboxView): void {
  for (const [i, stage] of after.stages.entries()) {
    const was = before.stages[i]?.status;
    if (stage.status === was) continue;
    if (stage.status === 'in_progress') announce(`${stage.title}: in progress.`);
    if (stage.status === 'completed') announce(`${stage.title}: done. ${finishedStages(after)} of ${after.stages.length}.`);
    if (stage.status === 'failed' && stage.code !== 'CANCELLED') announceFailure(`${stage.title} failed. ${stage.message ?? ''}`);
  }
  sayStatus(before, after);
}

/** Also for answers, which may come before their event. */
function sayStatus(before: SandboxView, after: SandboxView): void {
  if (after.warning && after.warning.words !== before.warning?.words) announce(sentence(after.warning.words));
  if (after.queue) {
    if (after.queue.position !== before.queue?.position) announce(`Waiting for its turn, position ${after.queue.position} in the queue.`);
  } else if (before.queue && after.status === before.status) {
    announce('Its turn has come.');
  } else if (before.status === after.status) {
    if (after.words && after.words !== before.words) announce(sentence(after.words));
  } else if (after.status === 'error') {
    announceFailure(`${FAILED_WORD[blamed(after)]}. ${after.failure?.message ?? ''}`);
  } else {
    announce(STATUS_SAID[after.status] ?? '');
  }
}

function onEvent(event: JournalEvent): void {
  const now = opened.peek();
  if (!now || event.projectId !== now.projectId) return;
  if (!now.view) return readSoon(now.projectId);
  const view = applyEvent(now.view, event);
  if (view === now.view) return;
  opened.value = { ...now, view };
  say(now.view, view);
  const isTurn = (event.kind !== 'stage' && event.kind !== 'queued') || view.attempt !== now.view.attempt || view.stages.length === 0;
  if (isTurn && !view.wasDeleted) readSoon(now.projectId);
}

/** Starts a creation, or goes on with a failed one. */
export async function startSandbox(projectId: string): Promise<void> {
  await api.startSandbox(projectId, newIdempotencyKey());
  await loadSandbox(projectId);
}

/** Starts, stops or restarts the project; its data and its addresses stay. */
export async function actOnProject(projectId: string, action: ProjectAction): Promise<void> {
  await api.act(projectId, action, newIdempotencyKey());
  await loadSandbox(projectId);
}

/** Somebody uses it: a stop for idleness that was announced is taken back. */
export async function keepRunning(projectId: string): Promise<void> {
  await api.noteActivity(projectId);
}

/** Ends a creation or a running sandbox; the database stays. */
export async function removeSandbox(projectId: string): Promise<void> {
  await api.deleteSandbox(projectId);
  await loadSandbox(projectId);
}

/** Call once. */
export function startSandboxes(): void {
  subscribe({
    onEvent,
    onReset() {
      const now = opened.peek();
      if (!now) return;
      // Numbers may have begun anew: nothing of the old count holds.
      opened.value = { ...now, view: now.view && { ...now.view, seq: 0 } };
      void loadSandbox(now.projectId);
    },
  });
}
