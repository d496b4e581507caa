// SPDX-License-Identifier: MIT
/* What the page of one sandbox shows, as a value: made from an answer of GET /api/sandbox/{id}, moved on by journal
 * events. Events may come twice, late, out of order or as a replay of what the answer already knew; none of these may
 * take the page back. Pure: no clock, no network, no DOM. */

import type {
  EventOf, FailureBody, JournalEvent, Outcome, QueuePlace, SandboxBody, SandboxState, StageBody, StageStatus,
} from '../net/types.ts';
import { parseTime } from './time.ts';

export type SandboxStatus = SandboxState | 'not_created';

export interface StageView {
  id: string;
  title: string;
  status: StageStatus;
  code: string | null;
  message: string | null;
  hint: string | null;
  startedMs: number | null;
  endedMs: number | null;
  durationMs: number | null;
  usualMs: number | null;
  /** Journal time of the newest fact that the answer knew about this stage; older events add nothing. */
  knownMs: number;
}

export interface Failure {
  stageId: string | null;
  code: string | null;
  message: string;
  hint: string | null;
}

export interface Warning {
  words: string;
  /** Who uses it keeps it. */
  isKeptByUse: boolean;
}

/** A creation that waits for its turn. Both numbers are as told last: the server tells them anew when the place has moved. */
export interface Queued {
  /** 1 is next. */
  position: number;
  estimateMs: number | null;
  sinceMs: number;
}

export interface SandboxView {
  status: SandboxStatus;
  attempt: number;
  /** Number of the last event taken; 0: none since the answer. */
  seq: number;
  knownMs: number;
  stages: StageView[];
  startedMs: number | null;
  publicUrl: string | null;
  ttydUrl: string | null;
  failure: Failure | null;
  /** What the server says on the way to a stop or a removal; null: nothing. */
  words: string | null;
  /** It runs and is going to be stopped. */
  warning: Warning | null;
  /** It has not begun: others come first. */
  queue: Queued | null;
  /** What may be asked for, by the last answer. */
  actions: readonly string[];
  /** The status has changed since that answer, which therefore says nothing of now. */
  areActionsOld: boolean;
  /** The last request was to stop: a failure is the stop's, and what the stages tell is over. */
  isStop: boolean;
  wasCancelled: boolean;
  /** The sandbox and its project are gone. */
  wasDeleted: boolean;
}

const STATUSES: readonly SandboxStatus[] = [
  'not_created', 'creating', 'starting', 'running', 'stopping', 'stopped', 'terminating', 'terminated', 'error',
];

/** What each end of an attempt leaves behind. */
export const OUTCOME_STATUS: Readonly<Record<Outcome, SandboxState>> = {
  ready: 'running',
  failed: 'error',
  cancelled: 'terminated',
  stopped: 'stopped',
  terminated: 'terminated',
  deleted: 'terminated',
};

const RANK: Readonly<Record<StageStatus, number>> = { pending: 0, in_progress: 1, completed: 2, failed: 2, skipped: 2 };

/** Statuses in any case; one that is not known to this page counts as an error. */
export function parseStatus(text: string): SandboxStatus {
  const lower = text.toLowerCase() as SandboxStatus;
  return STATUSES.includes(lower) ? lower : 'error';
}

/** Work is going on that will end by itself. */
export function isMoving(status: SandboxStatus): boolean {
  return status === 'creating' || status === 'starting' || isEnding(status);
}

export function isEnding(status: SandboxStatus): boolean {
  return status === 'stopping' || status === 'terminating';
}

function timeOrNull(text: string | null | undefined): number | null {
  const ms = parseTime(text);
  return Number.isNaN(ms) ? null : ms;
}

function stageFromBody(body: StageBody): StageView {
  const startedMs = timeOrNull(body.startedAt);
  const endedMs = timeOrNull(body.endedAt);
  return {
    id: body.id,
    title: body.title,
    status: body.status,
    code: body.code,
    message: body.message,
    hint: body.hint,
    startedMs,
    endedMs,
    durationMs: body.durationMs,
    usualMs: body.usualMs,
    knownMs: Math.max(startedMs ?? 0, endedMs ?? 0),
  };
}

/** isStop: no stage is to blame, whatever became of them before. */
function failureFrom(told: FailureBody | null, stages: StageView[], isStop: boolean): Failure | null {
  const failed = isStop ? undefined : stages.find((s) => s.status === 'failed');
  if (!told && !failed) return null;
  return {
    stageId: failed?.id ?? null,
    code: told?.code ?? failed?.code ?? null,
    message: told?.message ?? failed?.message ?? 'The server gave no reason.',
    hint: told?.hint ?? failed?.hint ?? null,
  };
}

/** The attempt ended before its last stage, and no stage is to blame for it. */
function endedEarly(stages: StageView[]): boolean {
  const last = stages.at(-1);
  if (last === undefined || last.status === 'completed') return false;
  return stages.every((s) => s.status !== 'failed' || s.code === 'CANCELLED');
}

function warningFrom(status: SandboxStatus, told: FailureBody): Warning | null {
  const isKeptByUse = told.code === 'IDLE_SOON';
  if (status !== 'running' || !(isKeptByUse || told.code === 'AGE_SOON')) return null;
  return { words: told.message ?? 'it stops soon', isKeptByUse };
}

function queueFrom(place: QueuePlace | null | undefined): Queued | null {
  return place ? { position: place.position, estimateMs: place.estimateMs, sinceMs: parseTime(place.since) } : null;
}

const NOT_CREATED: SandboxView = {
  status: 'not_created',
  attempt: 0,
  seq: 0,
  knownMs: 0,
  stages: [],
  startedMs: null,
  publicUrl: null,
  ttydUrl: null,
  failure: null,
  words: null,
  warning: null,
  queue: null,
  actions: [],
  areActionsOld: false,
  isStop: false,
  wasCancelled: false,
  wasDeleted: false,
};

/** The page as the server tells it. seq: the last event taken before the answer was asked for. */
export function viewFromBody(body: SandboxBody, seq: number): SandboxView {
  if (body.status === 'not_created') return { ...NOT_CREATED, seq };
  const stages = body.stages.map(stageFromBody);
  const startedMs = timeOrNull(body.startedAt);
  const status = parseStatus(body.status);
  const isStop = body.desired === 'stopped';
  return {
    status,
    attempt: body.attempt,
    seq,
    knownMs: stages.reduce((newest, s) => Math.max(newest, s.knownMs), startedMs ?? 0),
    stages,
    startedMs,
    publicUrl: body.sandbox.publicUrl,
    ttydUrl: body.sandbox.ttydUrl,
    failure: status === 'error' ? failureFrom(body.failure, stages, isStop) : null,
    words: isEnding(status) ? body.message : null,
    warning: warningFrom(status, body),
    queue: queueFrom(body.queue),
    actions: body.actions,
    areActionsOld: false,
    isStop,
    wasCancelled: status === 'terminated' && endedEarly(stages),
    wasDeleted: false,
  };
}

/** A later attempt begins: same stages, all still to come. */
function nextAttempt(view: SandboxView, attempt: number, atMs: number): SandboxView {
  return {
    ...view,
    attempt,
    status: 'creating',
    knownMs: 0,
    startedMs: atMs,
    failure: null,
    words: null,
    warning: null,
    queue: null,
    actions: [],
    areActionsOld: true,
    isStop: false,
    wasCancelled: false,
    stages: view.stages.map((s) => ({
      ...s,
      status: 'pending',
      code: null,
      message: null,
      hint: null,
      startedMs: null,
      endedMs: null,
      durationMs: null,
      knownMs: 0,
    })),
  };
}

function isOldNews(stage: StageView, event: EventOf<'stage'>, atMs: number): boolean {
  return atMs < stage.knownMs || (atMs === stage.knownMs && RANK[event.status] < RANK[stage.status]);
}

/** isRepair: what was done is done once more, by a clock of its own. */
function moveStage(stage: StageView, event: EventOf<'stage'>, atMs: number, isRepair: boolean): StageView {
  if (isOldNews(stage, event, atMs)) return stage;
  const isOver = RANK[event.status] === 2;
  const toldMs = isOver && event.durationMs != null ? atMs - event.durationMs : null;
  // A stage that falls back, as a container that crashed, has one clock from its first start.
  const isAnew = isRepair && RANK[stage.status] === 2 && event.status === 'in_progress';
  const startedMs = isAnew ? atMs : (stage.startedMs ?? (event.status === 'in_progress' ? atMs : toldMs));
  const ownMs = isOver && startedMs !== null ? atMs - startedMs : null;
  return {
    ...stage,
    status: event.status,
    code: event.code,
    message: event.message,
    hint: event.hint,
    startedMs,
    endedMs: isOver ? atMs : null,
    durationMs: isOver ? (event.durationMs ?? ownMs) : null,
  };
}

function applyStage(view: SandboxView, event: EventOf<'stage'>, atMs: number): SandboxView {
  const stages = view.stages.map((s) => (s.id === event.stage ? moveStage(s, event, atMs, view.status === 'error') : s));
  // What stands still until its turn comes has begun.
  const isAtWork = event.status === 'in_progress' && stages.some((s, i) => s !== view.stages[i]);
  return { ...view, stages, queue: isAtWork ? null : view.queue };
}

function applyQueued(view: SandboxView, event: EventOf<'queued'>, atMs: number): SandboxView {
  if (atMs < view.knownMs) return view;
  const queue = { position: event.position, estimateMs: event.estimateMs, sinceMs: view.queue?.sinceMs ?? atMs };
  return { ...view, status: parseStatus(event.status), queue };
}

function applyStatus(view: SandboxView, event: EventOf<'status'>, atMs: number): SandboxView {
  if (atMs < view.knownMs) return view;
  const status = parseStatus(event.status);
  const isStop = status === 'stopping' || (view.isStop && (status === 'stopped' || status === 'error'));
  return {
    ...view,
    status,
    failure: status === 'error' ? failureFrom(event, view.stages, isStop) : null,
    words: isEnding(status) ? event.message : null,
    warning: warningFrom(status, event),
    queue: null,
    areActionsOld: view.areActionsOld || status !== view.status,
    isStop,
    wasCancelled: status === 'terminated' && view.wasCancelled,
  };
}

function applyDone(view: SandboxView, event: EventOf<'done'>, atMs: number): SandboxView {
  if (atMs < view.knownMs) return view;
  const status = OUTCOME_STATUS[event.outcome] ?? view.status;
  return {
    ...view,
    status,
    failure: status === 'error' ? failureFrom(event, view.stages, view.isStop) : null,
    words: null,
    warning: null,
    queue: null,
    areActionsOld: view.areActionsOld || status !== view.status,
    wasCancelled: event.outcome === 'cancelled',
    wasDeleted: event.outcome === 'deleted',
  };
}

/** The page after one event of its project. Returns the same value when the event is no news. */
export function applyEvent(view: SandboxView, event: JournalEvent): SandboxView {
  if (event.seq <= view.seq) return view;
  if (event.attempt < view.attempt) return view;
  const atMs = parseTime(event.at);
  const begun = event.attempt > view.attempt ? nextAttempt(view, event.attempt, atMs) : view;
  const moved =
    event.kind === 'stage' ? applyStage(begun, event, atMs)
    : event.kind === 'status' ? applyStatus(begun, event, atMs)
    : event.kind === 'queued' ? applyQueued(begun, event, atMs)
    : applyDone(begun, event, atMs);
  return { ...moved, seq: event.seq };
}

/** What it is that failed. */
export type Blamed = 'creation' | 'start' | 'stop' | 'repair' | 'environment';

/** A failed attempt has a stage that failed. Without one, what was running has broken since, and may be being repaired;
 * with one and the last one done, it ran before, and the repair of that part has failed. */
export function blamed(view: SandboxView): Blamed {
  if (view.isStop) return 'stop';
  if (view.stages.every((s) => s.status !== 'failed')) return 'environment';
  if (view.stages.at(-1)?.status === 'completed') return 'repair';
  return view.attempt > 1 ? 'start' : 'creation';
}

/** Do the stages tell of what is? Those of an attempt that is over say nothing of a stop, a removal or a breakdown after it. */
export function areStagesNews(view: SandboxView): boolean {
  const { status, stages } = view;
  if (view.isStop || stages.length === 0 || status === 'not_created' || status === 'terminated') return false;
  const isPast = status === 'terminating' || status === 'error';
  return !isPast || stages.some((s) => s.status !== 'completed');
}

/** By the last answer. */
export function allows(view: SandboxView, action: string): boolean {
  return view.actions.includes(action);
}

/** As allows, and also while the next answer is awaited: for a button that would only come and go meanwhile. */
export function mayAllow(view: SandboxView, action: string): boolean {
  return view.areActionsOld || allows(view, action);
}

/** The stage that a reader should look at: the failed one, else the first in progress. */
export function currentStage(view: SandboxView): StageView | null {
  const first = (status: StageStatus): StageView | undefined => view.stages.find((s) => s.status === status);
  return first('failed') ?? first('in_progress') ?? null;
}

export function finishedStages(view: SandboxView): number {
  return view.stages.filter((s) => s.status === 'completed' || s.status === 'skipped').length;
}

/** When the attempt ended; null while it runs. */
export function attemptEndMs(view: SandboxView): number | null {
  if (view.status === 'creating' || view.status === 'starting') return null;
  const ends = view.stages.map((s) => s.endedMs).filter((ms): ms is number => ms !== null);
  return ends.length > 0 ? Math.max(...ends) : view.startedMs;
}
