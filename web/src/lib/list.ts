// SPDX-License-Identifier: MIT
/* The projects page as a question: what is searched, which statuses, in which order. Pure. */

import type { JournalEvent, Project } from '../net/types.ts';
import { isMoving, OUTCOME_STATUS, parseStatus, type SandboxStatus } from './sandbox_state.ts';
import { parseTime } from './time.ts';

export type Order = 'activity' | 'name' | 'created';
export type StatusGroup = 'all' | 'running' | 'working' | 'failed' | 'stopped' | 'idle';

export interface ListQuery {
  text: string;
  group: StatusGroup;
  order: Order;
}

export const GROUPS: readonly StatusGroup[] = ['all', 'running', 'working', 'failed', 'stopped', 'idle'];
export const ORDERS: readonly Order[] = ['activity', 'name', 'created'];

export function statusOf(project: Project): SandboxStatus {
  return project.sandbox ? parseStatus(project.sandbox.status) : 'not_created';
}

export function groupOf(status: SandboxStatus): Exclude<StatusGroup, 'all'> {
  if (status === 'running' || status === 'stopped') return status;
  if (status === 'error') return 'failed';
  return status === 'not_created' || status === 'terminated' ? 'idle' : 'working';
}

/** What the server says last, where it says what is awaited or what is wrong. */
export function rowWords(project: Project): string | null {
  const status = statusOf(project);
  return isMoving(status) || status === 'error' ? (project.sandbox?.message ?? null) : null;
}

function has<T extends string>(all: readonly T[], text: string | null): text is T {
  return text !== null && (all as readonly string[]).includes(text);
}

export function parseListQuery(search: string): ListQuery {
  const params = new URLSearchParams(search);
  const group = params.get('status');
  const order = params.get('sort');
  return {
    text: params.get('q') ?? '',
    group: has(GROUPS, group) ? group : 'all',
    order: has(ORDERS, order) ? order : 'activity',
  };
}

/** The query as it stands in the address; '' when nothing differs from the default. */
export function formatListQuery(query: ListQuery): string {
  const params = new URLSearchParams();
  if (query.text) params.set('q', query.text);
  if (query.group !== 'all') params.set('status', query.group);
  if (query.order !== 'activity') params.set('sort', query.order);
  const text = params.toString();
  return text && `?${text}`;
}

function compare(order: Order, a: Project, b: Project): number {
  if (order === 'name') return a.name.localeCompare(b.name, 'en', { numeric: true, sensitivity: 'base' });
  const key = order === 'created' ? 'createdAt' : 'updatedAt';
  return parseTime(b[key]) - parseTime(a[key]);
}

function holds(project: Project, words: string[]): boolean {
  const text = `${project.name} ${project.description ?? ''}`.toLowerCase();
  return words.every((w) => text.includes(w));
}

/** Projects that hold all words of the search, of the wanted group, in the wanted order; ties by id so that rows stay put. */
export function selectProjects(projects: readonly Project[], query: ListQuery): Project[] {
  const words = query.text.toLowerCase().split(/\s+/).filter(Boolean);
  return projects
    .filter((p) => (query.group === 'all' || groupOf(statusOf(p)) === query.group) && holds(p, words))
    .sort((a, b) => compare(query.order, a, b) || (a.id < b.id ? -1 : 1));
}

export function countGroups(projects: readonly Project[]): Record<StatusGroup, number> {
  const counts: Record<StatusGroup, number> = { all: projects.length, running: 0, working: 0, failed: 0, stopped: 0, idle: 0 };
  for (const p of projects) counts[groupOf(statusOf(p))] += 1;
  return counts;
}

/** The list after one event. Returns null when the event is about a project, or a sandbox, that the list does not hold. */
export function applyToList(projects: readonly Project[], event: JournalEvent): Project[] | null {
  const at = projects.findIndex((p) => p.id === event.projectId);
  const project = projects[at];
  if (!project) return null;
  if (event.kind === 'done' && event.outcome === 'deleted') return projects.filter((p) => p !== project);
  const { sandbox } = project;
  // A replayed event is older than what the list was read with.
  const isOld = parseTime(event.at) < parseTime(project.updatedAt);
  if (isOld || event.attempt < (sandbox?.attempt ?? 0)) return [...projects];
  if (!sandbox) return null;
  const status =
    event.kind === 'status' || event.kind === 'queued' ? event.status
    : event.kind === 'done' ? OUTCOME_STATUS[event.outcome]
    : sandbox.status;
  const queue =
    event.kind === 'queued' ? { position: event.position, estimateMs: event.estimateMs, since: sandbox.queue?.since ?? event.at }
    : event.kind === 'stage' && event.status !== 'in_progress' ? sandbox.queue
    : null;
  const moved: Project = {
    ...project,
    updatedAt: event.at,
    sandbox: { ...sandbox, status, queue, attempt: event.attempt, message: event.message, code: event.code, hint: event.hint },
  };
  return projects.map((p, i) => (i === at ? moved : p));
}
