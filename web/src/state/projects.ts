// SPDX-License-Identifier: MIT
/* The list of projects: read once, kept by events, read again when an event names a project that it does not hold. */

import { signal } from '@preact/signals';
import { applyToList } from '../lib/list.ts';
import { ApiError, api } from '../net/api.ts';
import type { Project } from '../net/types.ts';
import { subscribe } from './live.ts';

/** Reads that events overtook are repeated this often, then taken as they are. */
const REREADS = 3;
/** Several unknown projects in a row cause one read. */
const REREAD_DELAY_MS = 300;

export const projects = signal<Project[] | null>(null);
export const projectsError = signal<ApiError | null>(null);

let eventsSeen = 0;
let reading: Promise<void> | null = null;
let pending: ReturnType<typeof setTimeout> | undefined;

/** Reads the list from the server; a read in progress is shared. */
export function loadProjects(): Promise<void> {
  reading ??= read().finally(() => (reading = null));
  return reading;
}

async function read(): Promise<void> {
  try {
    for (let i = 0; i < REREADS; i++) {
      const before = eventsSeen;
      const { body } = await api.projects();
      projects.value = body;
      projectsError.value = null;
      if (eventsSeen === before) return;
    }
  } catch (error) {
    projectsError.value = error as ApiError;
  }
}

/** Shows a project that an answer brought before the list is read again. */
export function putProject(project: Project): void {
  const list = projects.peek();
  if (list) projects.value = [project, ...list.filter((p) => p.id !== project.id)];
}

export function forgetProjects(): void {
  projects.value = null;
  projectsError.value = null;
}

function readSoon(): void {
  clearTimeout(pending);
  pending = setTimeout(() => void loadProjects(), REREAD_DELAY_MS);
}

/** Call once. */
export function startProjects(): void {
  subscribe({
    onEvent(event) {
      eventsSeen += 1;
      const list = projects.peek();
      if (!list) return;
      const moved = applyToList(list, event);
      if (moved) projects.value = moved;
      else if (!(event.kind === 'done' && event.outcome === 'deleted')) readSoon();
    },
    onReset() {
      eventsSeen += 1;
      if (projects.peek()) void loadProjects();
    },
  });
}
