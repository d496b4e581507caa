// SPDX-License-Identifier: MIT
/* The only place that calls the server for answers (the event stream is lib/event_stream.ts). Turns problem bodies into
 * ApiError, keeps the server's clock, and says when a session has ended. */

import { ServerClock } from '../lib/clock.ts';
import { parseRetryAfterMs } from '../lib/backoff.ts';
import { parseTime } from '../lib/time.ts';
import type { AnswerOf, Asked, LimitsWish, Method, PathOf, ProjectWish, RepositoryWish, TokenWish, VariableWish } from './types.ts';

/** No answer after this long counts as no answer. */
const ANSWER_LIMIT_MS = 20_000;
/** An act whose answer was lost is sent again under its key, so often and so long after it was first sent at most. */
const AGAIN_TIMES = 3;
const AGAIN_LIMIT_MS = 15_000;
const AGAIN_PAUSE_MS = 700;
/** Rows that a page of the list brings. */
const PROJECTS_PER_PAGE = 100;
const REPOSITORIES_SUGGESTED = 100;

export const clock = new ServerClock();

export interface FieldError {
  /** JSON pointer into the body that was sent, as "/name". */
  pointer: string;
  detail: string;
}

/** What went wrong, for a person and for a report. status 0: the server was not reached. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly requestId: string | null,
    readonly fields: readonly FieldError[] = [],
    readonly hint: string | null = null,
    /** The server's word for it, as "InProgress". */
    readonly reason: string | null = null,
    /** When to come again, by the server; null: it did not say. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}

export interface Answer<T> {
  body: T;
  requestId: string | null;
  /** Where the next page of a list begins; null: this was the last one, or it is no list. */
  next: string | null;
}

let onUnauthorized: () => void = () => {};

/** fn runs whenever a call finds that nobody is signed in. */
export function setUnauthorizedHandler(fn: () => void): void {
  onUnauthorized = fn;
}

/** Notes the server's clock from the headers of an answer. Times in bodies do not serve: a body may come from a cache. */
export function observeHeaders(headers: Headers, sentMs: number, receivedMs: number): void {
  clock.observe(parseTime(headers.get('date')), sentMs, receivedMs);
}

interface CallOptions {
  /** The same key repeats the same act: the server answers what it answered before. */
  idempotencyKey?: string;
  /** For calls whose 401 is an answer and not the end of a session. */
  expects401?: true;
}

interface Request extends CallOptions {
  path?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, unknown>>;
  body?: unknown;
}

/** Nobody knows whether it was done: no answer came, a proxy's, or that it is being worked on. */
function isUnsettled(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return [0, 502, 503, 504].includes(error.status) || error.reason === 'InProgress';
}

/** A path of the description with its parameters filled in. */
function fill(path: string, request: Request): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(request.path?.[name] ?? ''));
  const query = new URLSearchParams(Object.entries(request.query ?? {}).map(([name, value]) => [name, String(value)]));
  return query.size > 0 ? `${filled}?${query}` : filled;
}

/** What may be asked and what is answered is as the API's description says. */
async function call<M extends Method, P extends PathOf<M>>(method: M, path: P, request: Asked<M, P> & CallOptions): Promise<Answer<AnswerOf<M, P>>> {
  return callUntilSettled(method.toUpperCase(), fill(path, request), request);
}

async function callUntilSettled<T>(method: string, path: string, options: Request): Promise<Answer<T>> {
  const startedMs = Date.now();
  for (let again = 0; ; again++) {
    try {
      return await callOnce<T>(method, path, options);
    } catch (error) {
      const pauseMs = (error as ApiError).retryAfterMs ?? AGAIN_PAUSE_MS * 2 ** again;
      const isLate = Date.now() - startedMs + pauseMs > AGAIN_LIMIT_MS;
      if (!options.idempotencyKey || !isUnsettled(error) || again >= AGAIN_TIMES || isLate) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function callOnce<T>(method: string, path: string, options: Request): Promise<Answer<T>> {
  const headers: Record<string, string> = { Accept: 'application/json, application/problem+json' };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.idempotencyKey) headers['Idempotency-Key'] = options.idempotencyKey;
  const sentMs = Date.now();
  const answer = await reach(path, {
    method,
    headers,
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
  });
  observeHeaders(answer.response.headers, sentMs, Date.now());
  const requestId = answer.response.headers.get('x-request-id');
  if (answer.response.ok) return { body: parseBody(answer.text, requestId) as T, requestId, next: nextCursor(answer.response.headers.get('link')) };
  if (answer.response.status === 401 && !options.expects401) onUnauthorized();
  throw problem(answer.response, answer.text, requestId);
}

async function reach(path: string, init: RequestInit): Promise<{ response: Response; text: string }> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), ANSWER_LIMIT_MS);
  try {
    const response = await fetch(path, { ...init, cache: 'no-store', credentials: 'same-origin', signal: limit.signal });
    return { response, text: await response.text() };
  } catch {
    const why = limit.signal.aborted ? 'The server did not answer in time.' : 'The server could not be reached.';
    throw new ApiError(why, 0, null);
  } finally {
    clearTimeout(timer);
  }
}

function parseBody(text: string, requestId: string | null): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ApiError('The server sent an answer that is no JSON.', 200, requestId);
  }
}

type Loose = Record<string, unknown>;

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function fieldsOf(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: Loose | null) => {
    // RFC 9457 section 3 writes the pointer as a fragment: "#/name".
    const pointer = textOf(item?.['pointer'])?.replace(/^#/, '');
    const detail = textOf(item?.['detail']);
    return pointer && detail ? [{ pointer, detail }] : [];
  });
}

function problem(response: Response, text: string, requestId: string | null): ApiError {
  let body: Loose = {};
  try {
    const parsed = JSON.parse(text) as unknown;
    if (parsed && typeof parsed === 'object') body = parsed as Loose;
  } catch {
    // A proxy's page in place of a problem body: the status has to do.
  }
  const message = textOf(body['detail']) ?? textOf(body['error']) ?? textOf(body['title']) ?? `The server answered ${response.status}.`;
  const reason = textOf((body['details'] as Loose | null | undefined)?.['name']);
  const retryAfterMs = parseRetryAfterMs(response.headers.get('retry-after'), Date.now());
  return new ApiError(message, response.status, requestId, fieldsOf(body['errors']), textOf(body['hint']), reason, retryAfterMs);
}

/** A key for one act of the user; works without a secure context, where crypto.randomUUID is missing. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** RFC 8288. The cursor and not the address, so that a Link can lead nowhere else. */
export function nextCursor(link: string | null): string | null {
  const query = /<[^>?]*\?([^>]*)>\s*;\s*rel="next"/.exec(link ?? '')?.[1];
  return new URLSearchParams(query ?? '').get('cursor');
}

/** What a project as a whole can be asked for; the server says when. */
export type ProjectAction = 'start' | 'stop' | 'restart';

export const api = {
  session: () => call('get', '/api/auth/session', { expects401: true }),
  signIn: (token: string) => call('post', '/api/auth/signin-link', { body: { token }, expects401: true }),
  signOut: () => call('post', '/api/auth/signout', { body: {}, expects401: true }),
  providers: () => call('get', '/api/auth/providers', {}),
  /** Where the browser is to go; callbackUrl: the path to come back to. */
  beginGitHub: (callbackUrl: string) =>
    call('post', '/api/auth/signin/{provider}', { path: { provider: 'github' }, body: { callbackUrl }, expects401: true }),
  sessions: () => call('get', '/api/auth/sessions', {}),
  endSession: (id: string) => call('delete', '/api/auth/sessions/{id}', { path: { id } }),
  endOtherSessions: () => call('delete', '/api/auth/sessions', { query: { others: true } }),
  endAllSessions: () => call('delete', '/api/auth/sessions', {}),
  tokens: () => call('get', '/api/tokens', {}),
  makeToken: (body: TokenWish, idempotencyKey: string) => call('post', '/api/tokens', { body, idempotencyKey }),
  revokeToken: (id: string) => call('delete', '/api/tokens/{id}', { path: { id } }),
  deviceAsked: (code: string) => call('get', '/api/auth/device', { query: { user_code: code } }),
  decideDevice: (userCode: string, allow: boolean) => call('post', '/api/auth/device', { body: { userCode, allow } }),
  projects: (cursor: string | null) => call('get', '/api/projects', { query: { limit: PROJECTS_PER_PAGE, ...(cursor && { cursor }) } }),
  projectsOf: (keyword: string) => call('get', '/api/projects', { query: { limit: PROJECTS_PER_PAGE, keyword } }),
  project: (id: string) => call('get', '/api/projects/{id}', { path: { id } }),
  clusters: () => call('get', '/api/clusters', {}),
  createProject: (body: ProjectWish, idempotencyKey: string) => call('post', '/api/projects', { body, idempotencyKey }),
  deleteProject: (id: string, fate: 'keep-database' | 'delete-database') =>
    call('delete', '/api/projects/{id}', { path: { id }, ...(fate === 'keep-database' && { query: { keepDatabase: true } }) }),
  sandbox: (projectId: string) => call('get', '/api/sandbox/{projectId}', { path: { projectId } }),
  startSandbox: (projectId: string, idempotencyKey: string) =>
    call('post', '/api/sandbox/{projectId}', { path: { projectId }, body: {}, idempotencyKey }),
  act: (id: string, action: ProjectAction, idempotencyKey: string) =>
    call('post', `/api/projects/{id}/${action}`, { path: { id }, body: {}, idempotencyKey }),
  /** 'reveal': with the values of secrets. */
  variables: (id: string, manner?: 'reveal') =>
    call('get', '/api/projects/{id}/environment', { path: { id }, ...(manner && { query: { reveal: true } }) }),
  writeVariable: (id: string, body: VariableWish, idempotencyKey: string) =>
    call('post', '/api/projects/{id}/environment', { path: { id }, body, idempotencyKey }),
  /** Takes none away, whatever another tab has added meanwhile. */
  addVariables: (id: string, variables: VariableWish[], idempotencyKey: string) =>
    call('post', '/api/projects/{id}/environment', { path: { id }, body: { variables, replace: false }, idempotencyKey }),
  changeVariable: (id: string, envId: string, value: string) =>
    call('put', '/api/projects/{id}/environment/{envId}', { path: { id, envId }, body: { value } }),
  removeVariable: (id: string, envId: string) => call('delete', '/api/projects/{id}/environment/{envId}', { path: { id, envId } }),
  /** Those changed last: enough to suggest. */
  repositories: () => call('get', '/api/github/repositories', { query: { limit: REPOSITORIES_SUGGESTED } }),
  repository: (id: string) => call('get', '/api/projects/{id}/github', { path: { id } }),
  connectRepository: (id: string, body: RepositoryWish, idempotencyKey: string) =>
    call('post', '/api/projects/{id}/github', { path: { id }, body, idempotencyKey }),
  /** Nothing is removed at GitHub. */
  disconnectRepository: (id: string) => call('delete', '/api/projects/{id}/github', { path: { id } }),
  limits: (id: string) => call('get', '/api/projects/{id}/limits', { path: { id } }),
  setLimits: (id: string, body: LimitsWish) => call('put', '/api/projects/{id}/limits', { path: { id }, body }),
  noteActivity: (id: string) => call('post', '/api/projects/{id}/activity', { path: { id }, body: {} }),
  deleteSandbox: (projectId: string) => call('delete', '/api/sandbox/{projectId}', { path: { projectId } }),
};
