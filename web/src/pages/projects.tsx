// SPDX-License-Identifier: MIT
/* The list of projects: search, filter and order live in the address, rows move by events. */

import { useEffect, useRef } from 'preact/hooks';
import {
  countGroups, formatListQuery, GROUPS, ORDERS, parseListQuery, rowWords, selectProjects, statusOf,
  type ListQuery, type Order, type StatusGroup,
} from '../lib/list.ts';
import type { Project } from '../net/types.ts';
import { place, replaceSearch } from '../state/nav.ts';
import {
  hasMoreProjects, isSearchCut, isSearching, loadMoreProjects, loadProjects, projects, projectsError, searchProjects,
} from '../state/projects.ts';
import { useAct } from '../ui/act.ts';
import { singleKeys } from '../state/prefs.ts';
import { OpenIcon, PlusIcon, SearchIcon } from '../ui/icons.tsx';
import { wantsSearch } from '../ui/keys.tsx';
import { PageHeading, usePageTitle } from '../ui/page.tsx';
import { ActButton, Ago, ErrorNote } from '../ui/parts.tsx';
import { SandboxTag } from '../ui/status.tsx';

const GROUP_WORD: Readonly<Record<StatusGroup, string>> = {
  all: 'All',
  running: 'Running',
  working: 'In progress',
  failed: 'Failed',
  stopped: 'Stopped',
  idle: 'Without sandbox',
};

const ORDER_WORD: Readonly<Record<Order, string>> = { activity: 'Last activity', name: 'Name', created: 'Date created' };

/** Letters; the server takes 256 bytes. */
const SEARCH_CEILING = 64;

function ask(query: ListQuery): void {
  replaceSearch(formatListQuery(query));
}

function SearchField(props: { query: ListQuery }) {
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!wantsSearch.peek()) return;
    wantsSearch.value = false;
    ref.current?.focus();
  }, []);
  return (
    <label class="search">
      <span class="only-read">Search projects</span>
      <SearchIcon />
      <input
        ref={ref}
        type="search"
        placeholder="Search"
        maxLength={SEARCH_CEILING}
        value={props.query.text}
        onInput={(e) => ask({ ...props.query, text: e.currentTarget.value })}
      />
      {singleKeys.value && <kbd aria-hidden="true">/</kbd>}
    </label>
  );
}

function Filters(props: { query: ListQuery; list: Project[] }) {
  const counts = countGroups(props.list);
  const shown = GROUPS.filter((g) => g === 'all' || counts[g] > 0 || g === props.query.group);
  return (
    <div class="filters">
      <div class="segments" role="group" aria-label="Filter by status">
        {shown.map((group) => (
          <button
            key={group}
            type="button"
            aria-pressed={props.query.group === group}
            onClick={() => ask({ ...props.query, group })}
          >
            {GROUP_WORD[group]} <span class="count">{counts[group]}</span>
          </button>
        ))}
      </div>
      <label class="order">
        <span>Sort by</span>
        <select value={props.query.order} onChange={(e) => ask({ ...props.query, order: e.currentTarget.value as Order })}>
          {ORDERS.map((order) => (
            <option key={order} value={order}>
              {ORDER_WORD[order]}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function Row(props: { project: Project }) {
  const { project } = props;
  const status = statusOf(project);
  const isReady = status === 'running';
  const link = isReady ? project.sandbox?.ttydUrl : null;
  const text = rowWords(project);
  return (
    <li class="row" data-project={project.id}>
      <div class="row-name">
        <a href={`/projects/${encodeURIComponent(project.id)}`}>{project.name}</a>
        {project.description && <p class="fine clip">{project.description}</p>}
      </div>
      <div class="row-status">
        <SandboxTag status={status} isQueued={project.sandbox?.queue != null} />
        {text && <p class="fine clip">{text}</p>}
        {link && (
          <a class="out" href={link} target="_blank" rel="noopener noreferrer">
            Terminal <OpenIcon />
            <span class="only-read">of {project.name}, opens in a new tab</span>
          </a>
        )}
      </div>
      <p class="row-time fine">
        <Ago at={project.updatedAt} />
      </p>
    </li>
  );
}

/** Below the rows, while there are projects that were not read: order and counts are of those that were. */
function More(props: { list: Project[]; query: ListQuery }) {
  const act = useAct();
  if (!hasMoreProjects.value) return null;
  const isNarrowed = props.query.group !== 'all' || props.query.order !== 'activity';
  return (
    <div class="more" data-more>
      <p class="fine">
        {props.list.length} projects are read, those used last first; there are more. A search looks in all of them
        {isNarrowed ? ', status and order only in those that are read.' : '.'}
        {isSearchCut.value && ' More match than are shown: search for more of the name.'}
      </p>
      <ActButton act={act} work={loadMoreProjects}>
        Show more
      </ActButton>
    </div>
  );
}

function Rows(props: { list: Project[]; query: ListQuery }) {
  const rows = selectProjects(props.list, props.query);
  if (rows.length === 0 && isSearching.value) return <p class="fine">Searching…</p>;
  if (rows.length === 0) {
    return (
      <div class="empty">
        <p>No project matches.</p>
        <button type="button" class="button" onClick={() => ask({ ...props.query, text: '', group: 'all' })}>
          Show all{!hasMoreProjects.value && ` ${props.list.length}`}
        </button>
      </div>
    );
  }
  return (
    <ul class="rows">
      {rows.map((project) => (
        <Row key={project.id} project={project} />
      ))}
    </ul>
  );
}

function Empty() {
  return (
    <div class="empty">
      <p>
        A project is a sandbox with a web terminal and a PostgreSQL database of its own. You have none yet.
      </p>
      <a class="button primary" href="/projects/new">
        Create your first project
      </a>
    </div>
  );
}

export function ProjectsPage() {
  usePageTitle('Projects');
  useEffect(() => void loadProjects(), []);
  const query = parseListQuery(place.value.search);
  useEffect(() => searchProjects(query.text), [query.text, hasMoreProjects.value]);
  const list = projects.value;
  const error = projectsError.value;
  return (
    <div class="page">
      <div class="page-head">
        <PageHeading>Projects</PageHeading>
        {list && list.length > 0 && <SearchField query={query} />}
        <a class="button primary" href="/projects/new">
          <PlusIcon />
          New project
          {singleKeys.value && <kbd aria-hidden="true">n</kbd>}
        </a>
      </div>
      {error && (
        <ErrorNote error={error} title={list ? 'The list could not be read again.' : 'The list could not be read.'}>
          <button type="button" class="button small" onClick={() => void loadProjects()}>
            Try again
          </button>
        </ErrorNote>
      )}
      {!list && !error && <p class="fine">Reading your projects…</p>}
      {list && list.length > 0 && <Filters query={query} list={list} />}
      {list && (list.length > 0 ? <Rows list={list} query={query} /> : <Empty />)}
      {list && <More list={list} query={query} />}
    </div>
  );
}
