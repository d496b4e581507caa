// SPDX-License-Identifier: MIT
/* The list of projects: read page by page, kept by events, read again when an event names a project that it does not hold.
 * While there are pages that were not read, a search asks the server as well, and what it finds joins the list. */

import { signal } from '@preact/signals';
import { applyToList } from '../lib/list.ts';
import { ApiError, api } from '../net/api.ts';
import type { Project } from '../net/types.ts';
import { subscribe } from './live.ts';

/** Reads that events overtook are repeated this often, then taken as they are. */
const REREADS = 3;
/** Several unknown projects in a row cause one read. */
const REREAD_DELAY_MS = 300;
/** Who is typing has not yet asked. */
const SEARCH_DELAY_MS = 250;

export const projects = signal<Project[] | null>(null);
export const projectsError = signal<ApiError | null>(null);
/** Are there projects that were not read? */
export const hasMoreProjects = signal(false);
/** Did the server find more than it told? */
export const isSearchCut = signal(false);
/** A search whose answer is awaited. */
export const isSearching = signal(false);

let eventsSeen = 0;
let reading: Promise<void> | null = null;
let pending: ReturnType<typeof setTimeout> | undefined;
let pagesRead = 1;
/** What is searched for. */
let keyword = '';
let searching: ReturnType<typeof setTimeout> | undefined;

function union(list: readonly Project[], more: readonly Project[]): Project[] {
  const ids = new Set(list.map((p) => p.id));
  return [...list, ...more.filter((p) => !ids.has(p.id))];
}

/** Reads what was read before anew from the server; a read in progress is shared. */
export function loadProjects(): Promise<void> {
  reading ??= read().finally(() => (reading = null));
  return reading;
}

/** Reads the page after those that were read, and those anew: what happened while one page was read is in all of them. */
export async function loadMoreProjects(): Promise<void> {
  await reading;
  pagesRead += 1;
  await loadProjects();
}

async function readPages(): Promise<{ list: Project[]; hasMore: boolean }> {
  let list: Project[] = [];
  let at: string | null = null;
  let pages = 0;
  do {
    const answer: Awaited<ReturnType<typeof api.projects>> = await api.projects(at);
    list = union(list, answer.body);
    at = answer.next;
    pages += 1;
  } while (at !== null && pages < pagesRead);
  return { list, hasMore: at !== null };
}

async function read(): Promise<void> {
  try {
    for (let i = 0; i < REREADS; i++) {
      const before = eventsSeen;
      const { list, hasMore } = await readPages();
      const sought = hasMore && keyword !== '' ? await api.projectsOf(keyword) : null;
      isSearchCut.value = sought != null && sought.next !== null;
      projects.value = union(list, sought?.body ?? []);
      hasMoreProjects.value = hasMore;
      projectsError.value = null;
      if (eventsSeen === before) return;
    }
  } catch (error) {
    projectsError.value = error as ApiError;
  }
}

async function search(text: string): Promise<void> {
  try {
    const answer = await api.projectsOf(text);
    if (text !== keyword) return;
    isSearchCut.value = answer.next !== null;
    projects.value = union(projects.peek() ?? [], answer.body);
    projectsError.value = null;
  } catch (error) {
    if (text === keyword) projectsError.value = error as ApiError;
  }
  if (text === keyword) isSearching.value = false;
}

/** Also among those that were not read. Once all are, there is nothing to ask. */
export function searchProjects(text: string): void {
  const wanted = text.trim();
  if (wanted === keyword) return;
  keyword = wanted;
  clearTimeout(searching);
  isSearchCut.value = false;
  isSearching.value = wanted !== '' && hasMoreProjects.peek();
  if (isSearching.peek()) searching = setTimeout(() => void search(wanted), SEARCH_DELAY_MS);
}

/** Shows a project that an answer brought before the list is read again. */
export function putProject(project: Project): void {
  const list = projects.peek();
  if (list) projects.value = [project, ...list.filter((p) => p.id !== project.id)];
}

export function forgetProjects(): void {
  projects.value = null;
  projectsError.value = null;
  hasMoreProjects.value = false;
  isSearchCut.value = false;
  keyword = '';
  pagesRead = 1;
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
