// SPDX-License-Identifier: MIT
/* Short names for what the description of the API says (net/openapi.ts is generated from it), and what a call of it is. */

import type { components, paths } from './openapi.ts';

type Schemas = components['schemas'];

export type SandboxState = Schemas['SandboxState'];
export type Outcome = Schemas['Outcome'];
export type StageStatus = Schemas['StageStatus'];
export type User = Schemas['User'];
export type Session = Schemas['Session'];
export type SessionInfo = Schemas['SessionInfo'];
export type TokenScope = Schemas['Scope'];
export type ApiToken = Schemas['Token'];
export type MadeToken = Schemas['NewToken'];
export type TokenWish = Schemas['TokenWish'];
export type Providers = AnswerOf<'get', '/api/auth/providers'>;
export type DeviceAsked = AnswerOf<'get', '/api/auth/device'>;
export type Cluster = Schemas['Cluster'];
export type Project = Schemas['Project'];
export type ProjectWish = Schemas['ProjectWish'];
export type Repository = Schemas['Repository'];
export type RepositoryWish = Schemas['RepositoryWish'];
export type StageBody = Schemas['Stage'];
export type FailureBody = Schemas['Failure'];
export type SandboxBody = Schemas['SandboxDocument'];
export type Category = Schemas['Category'];
export type Variable = Schemas['Variable'];
export type Variables = Schemas['Variables'];
export type VariableWish = Schemas['VariableWish'];
export type Limits = AnswerOf<'get', '/api/projects/{id}/limits'>;
export type LimitsWish = Asked<'put', '/api/projects/{id}/limits'>['body'];
export type QueuePlace = Schemas['QueuePlace'];

/** The events that the journal holds; a reset is the stream's own. */
export type JournalKind = Exclude<keyof Schemas['StreamEvents'], 'reset'>;
export type JournalEvent = { [Kind in JournalKind]: { kind: Kind } & Schemas['StreamEvents'][Kind] }[JournalKind];
export type EventOf<Kind extends JournalKind> = Extract<JournalEvent, { kind: Kind }>;

export type Method = 'get' | 'post' | 'put' | 'delete';
export type PathOf<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, { responses: object }> ? P : never }[keyof paths];

type Operation<M extends Method, P extends keyof paths> = paths[P][M];
type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : null;
type Good<Responses> = Json<Responses[keyof Responses & (200 | 201 | 202 | 204)]>;
export type AnswerOf<M extends Method, P extends keyof paths> = Operation<M, P> extends { responses: infer R } ? Good<R> : never;

type Parameters<Op, Place extends 'path' | 'query'> = Op extends { parameters: infer All } ? Exclude<All[Place & keyof All], undefined> : never;
type InPath<Op> = [Parameters<Op, 'path'>] extends [never] ? { path?: never } : { path: Parameters<Op, 'path'> };
type InQuery<Op> = [Parameters<Op, 'query'>] extends [never] ? { query?: never } : { query?: Parameters<Op, 'query'> };
type InBody<Op> =
  Op extends { requestBody: { content: { 'application/json': infer Body } } } ? { body: Body }
  : Op extends { requestBody?: { content: { 'application/json': infer Body } } } ? { body?: Body }
  : { body?: never };

/** What the description lets a call of this path hold. */
export type Asked<M extends Method, P extends keyof paths> =
  InPath<Operation<M, P>> & InQuery<Operation<M, P>> & InBody<Operation<M, P>>;
