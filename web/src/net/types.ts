// SPDX-License-Identifier: MIT
/* The shapes that the server sends. Fields that it may leave out are optional here; unknown extra fields are ignored. */

export type SandboxStatus =
  | 'not_created'
  | 'creating'
  | 'starting'
  | 'running'
  | 'updating'
  | 'stopping'
  | 'stopped'
  | 'terminating'
  | 'terminated'
  | 'error';

export type StageStatus = 'pending' | 'in_progress' | 'completed' | 'failed' | 'skipped';

export interface User {
  id: string;
  name: string | null;
  email: string | null;
  isAdmin?: boolean;
}

export interface Session {
  user: User;
  expires: string;
}

/** One place where the user is signed in. */
export interface SessionInfo {
  id: string;
  userAgent: string;
  address: string;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
  current: boolean;
}

export type TokenScope = 'read' | 'write' | 'admin';

export interface ApiToken {
  id: string;
  name: string;
  prefix: string;
  scopes: TokenScope[];
  createdAt: string;
  expiresAt: string;
  lastUsedAt: string | null;
}

/** The one answer that holds its text. */
export interface MadeToken extends ApiToken {
  token: string;
}

/** What a program without a browser wants. */
export interface DeviceAsked {
  name: string;
  scopes: TokenScope[];
  userAgent: string;
  address: string;
  expiresAt: string;
}

/** Ways of signing in, by id. */
export type Providers = Record<string, { id: string; name: string }>;

/** Where a project's objects are. */
export interface Cluster {
  name: string;
  isDefault: boolean;
  status: string;
}

export interface ProjectSandbox {
  status: string;
  publicUrl?: string | null;
  ttydUrl?: string | null;
  attempt?: number;
  code?: string | null;
  message?: string | null;
}

export interface Project {
  id: string;
  name: string;
  description: string | null;
  cluster?: string;
  githubRepo: string | null;
  status: string;
  createdAt: string;
  updatedAt: string;
  sandbox: ProjectSandbox | null;
}

export interface StageBody {
  id: string;
  title: string;
  status: StageStatus;
  code?: string | null;
  message?: string | null;
  hint?: string | null;
  startedAt?: string | null;
  endedAt?: string | null;
  durationMs?: number | null;
  usualMs?: number | null;
}

export interface FailureBody {
  code?: string | null;
  message?: string | null;
  hint?: string | null;
}

export interface SandboxBody {
  status: string;
  code?: string | null;
  message?: string | null;
  sandbox?: { id: string; publicUrl?: string | null; ttydUrl?: string | null; status?: string };
  attempt?: number;
  /** What the last request asked for: running, stopped, terminated, deleted, detached. */
  desired?: string;
  stages?: StageBody[];
  /** What may be asked for now: start, stop, restart, delete. */
  actions?: string[];
  startedAt?: string | null;
  failure?: FailureBody | null;
  /** Where the status itself could not be found out. */
  error?: FailureBody | string | null;
}

/** When a sandbox is stopped by itself; 0: never. */
export interface LimitsBody {
  effective: { idleStopSeconds: number; maxAgeSeconds: number; warningSeconds: number };
}

export interface StartedBody {
  status: string;
  message?: string;
}

interface JournalFacts {
  seq: number;
  projectId: string;
  attempt: number;
  code?: string | null;
  message?: string | null;
  hint?: string | null;
  at: string;
}

export type JournalEvent =
  | ({ kind: 'stage'; stage: string; status: StageStatus; durationMs?: number | null } & JournalFacts)
  | ({ kind: 'status'; status: string } & JournalFacts)
  | ({ kind: 'done'; outcome: string; publicUrl?: string | null; ttydUrl?: string | null } & JournalFacts);
