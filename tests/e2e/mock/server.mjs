// SPDX-License-Identifier: MIT
/* A server that speaks the dashboard's API from memory, for working on the pages and for testing the journey itself.
 * It also serves web/dist under the strict content security policy. POST /mock/… plays accidents. */

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Journal } from './journal.mjs';
import { Sandbox } from './sandboxes.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '../../../web/dist');
const BODY_CEILING_BYTES = 64 * 1024;
const NAME_CEILING = 60;
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
  "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.map': 'application/json' };
const USER = { id: 'u-1', name: 'Ada Okafor', email: 'ada@example.test', image: null };
const CLUSTERS = [
  { name: 'near', isDefault: true, status: 'available' },
  { name: 'far', isDefault: false, status: 'unreachable' },
];

export class MockServer {
  #journal = new Journal();
  #projects = new Map();
  #sandboxes = new Map();
  #tokens = new Set();
  #sessions = new Set();
  #requests = 0;
  #streamsDownUntil = 0;
  #nextToken = 0;
  #server = createServer((request, response) => this.#answer(request, response));

  /** pacedName: the project whose creation goes on at POST /mock/next only. */
  constructor({ speed = 1, pacedName = null } = {}) {
    this.speed = speed;
    this.pacedName = pacedName;
  }

  /** How many event streams are open. */
  get streams() {
    return this.#journal.streams;
  }

  /** Listens on 127.0.0.1; port 0 takes a free one. Resolves to the address. */
  async listen(port = 0) {
    await new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this.url;
  }

  newSignInLink() {
    const token = `once-${(this.#nextToken += 1)}`;
    this.#tokens.add(token);
    return `${this.url}/signin?token=${token}`;
  }

  async close() {
    for (const sandbox of this.#sandboxes.values()) sandbox.stop();
    this.#journal.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.url);
    response.setHeader('X-Request-Id', `req-${String((this.#requests += 1)).padStart(5, '0')}`);
    try {
      const body = await readJson(request);
      if (url.pathname.startsWith('/mock/')) this.#accident(url.pathname.slice(6), body, response);
      else if (url.pathname.startsWith('/api/')) this.#api(request, url, body, response);
      else servePage(url.pathname, response);
    } catch (error) {
      problem(response, error.status ?? 500, error.message, error.fields);
    }
  }

  #accident(name, body, response) {
    if (name === 'link') return json(response, 200, { url: this.newSignInLink() });
    if (name === 'next') return json(response, 200, this.#paced()?.next() ?? null);
    if (name === 'cut') this.#journal.dropStreams('cut');
    else if (name === 'bye') this.#journal.dropStreams('bye');
    else if (name === 'streams-down') {
      this.#streamsDownUntil = Date.now() + body.ms;
      this.#journal.dropStreams('cut');
    } else if (name === 'end-sessions') {
      this.#sessions.clear();
      this.#journal.dropStreams('cut');
    } else if (name === 'fill') this.#fill(body.count);
    else throw refuse(404, 'No such accident.');
    return json(response, 200, {});
  }

  #fill(count) {
    const words = ['ledger', 'atlas', 'kiosk', 'harbour', 'quill', 'beacon', 'loom', 'orchard'];
    const statuses = ['running', 'stopped', 'error', 'terminated', null];
    for (let i = 0; i < count; i++) {
      const at = new Date(Date.now() - i * 3_700_000).toISOString();
      const project = this.#addProject(`${words[i % words.length]} ${i + 1}`, i % 3 ? null : 'Made for a look at long lists', at);
      const status = statuses[i % statuses.length];
      project.still = status && { status, attempt: 1, publicUrl: 'https://a.example.test', ttydUrl: 'https://t.example.test', message: status === 'error' ? 'No node has enough memory.' : null };
    }
  }

  #api(request, url, body, response) {
    const [, , kind, id, tail] = url.pathname.split('/');
    const method = request.method;
    if (kind === 'auth') return this.#auth(id, body, request, response);
    if (!this.#sessions.has(cookie(request))) throw refuse(401, 'Unauthorized');
    const resume = request.headers['last-event-id'] ?? url.searchParams.get('after');
    const after = resume === null ? null : Number(resume);
    if (kind === 'events') return this.#events(response, after);
    if (kind === 'projects' && !id) return method === 'POST' ? this.#createProject(body, response) : this.#listProjects(response);
    if (kind === 'clusters') return json(response, 200, CLUSTERS);
    const project = this.#projects.get(id);
    if (!project) throw refuse(404, 'Project not found');
    if (kind === 'projects' && tail === 'limits') return json(response, 200, { idleStopSeconds: null, maxAgeSeconds: null, effective: { idleStopSeconds: 0, maxAgeSeconds: 0, warningSeconds: 600 } });
    if (kind === 'projects' && tail === 'github') return json(response, 200, { githubRepo: null, url: null, private: null, connected: false, checkedAt: null, pendingRepo: null });
    if (kind === 'projects' && tail) return this.#act(project, tail, response);
    if (kind === 'projects') return method === 'DELETE' ? this.#deleteProject(project, response) : json(response, 200, this.#projectBody(project));
    if (kind !== 'sandbox') throw refuse(404, 'Not found');
    if (tail === 'events') return this.#events(response, after, (data) => data.projectId === id);
    return this.#sandbox(method, project, response);
  }

  #events(response, after, wants) {
    if (Date.now() < this.#streamsDownUntil) throw refuse(503, 'The server is going down.');
    return this.#journal.open(response, after, wants);
  }

  #auth(what, body, request, response) {
    const id = cookie(request);
    const session = { user: USER, expires: '2027-01-01T00:00:00.000Z' };
    if (what === 'providers') return json(response, 200, {});
    if (what === 'session') return json(response, 200, this.#sessions.has(id) ? session : null);
    if (what === 'signout') {
      this.#sessions.delete(id);
      return json(response, 200, {});
    }
    if (!this.#tokens.delete(body.token)) throw refuse(401, 'This link was used before or has expired.');
    const fresh = `s-${this.#nextToken}-${this.#requests}`;
    this.#sessions.add(fresh);
    response.setHeader('Set-Cookie', `fs=${fresh}; HttpOnly; SameSite=Lax; Path=/`);
    return json(response, 200, session);
  }

  #addProject(name, description, at, cluster = CLUSTERS[0].name) {
    const id = `p-${this.#projects.size + 1}`;
    const project = { id, name, description, cluster, userId: USER.id, githubRepo: null, databaseUrl: null, status: 'READY', createdAt: at, updatedAt: at };
    this.#projects.set(id, project);
    return project;
  }

  #projectBody({ still, ...project }) {
    const sandbox = this.#sandboxes.get(project.id);
    const { status, attempt, publicUrl, ttydUrl, message } = sandbox ?? {};
    return { ...project, sandbox: sandbox ? { status, attempt, publicUrl, ttydUrl, message } : (still ?? null) };
  }

  #listProjects(response) {
    json(response, 200, [...this.#projects.values()].map((p) => this.#projectBody(p)));
  }

  #createProject(body, response) {
    const name = String(body.name ?? '').trim();
    if (name === '') throw refuse(422, 'The project cannot be created.', [{ pointer: '#/name', detail: 'Give the project a name.' }]);
    if (name.length > NAME_CEILING) throw refuse(422, 'The project cannot be created.', [{ pointer: '#/name', detail: `At most ${NAME_CEILING} characters.` }]);
    json(response, 200, this.#projectBody(this.#addProject(name, body.description ?? null, new Date().toISOString(), body.cluster)));
  }

  #deleteProject(project, response) {
    const sandbox = this.#sandboxes.get(project.id) ?? this.#newSandbox(project);
    const isLive = sandbox.attempt > 0;
    if (!isLive) sandbox.attempt = 1;
    sandbox.remove('deleted', () => {
      this.#projects.delete(project.id);
      this.#sandboxes.delete(project.id);
    });
    json(response, 202, { status: 'terminating', message: 'The project is being deleted.' });
  }

  #paced() {
    return [...this.#sandboxes.values()].find((sandbox) => sandbox.isPaced);
  }

  #act(project, action, response) {
    const sandbox = this.#sandboxes.get(project.id);
    if (!sandbox?.actions.includes(action)) throw refuse(400, `A project that is ${sandbox?.status ?? 'not created'} cannot ${action}`);
    if (action === 'stop') sandbox.halt();
    else sandbox.start('starting');
    return json(response, 202, { message: `Asked to ${action}.`, project: { id: project.id, status: sandbox.status.toUpperCase() } });
  }

  #newSandbox(project) {
    const sandbox = new Sandbox(project, this.#journal, { speed: this.speed, isPaced: project.name === this.pacedName });
    this.#sandboxes.set(project.id, sandbox);
    return sandbox;
  }

  #sandbox(method, project, response) {
    const sandbox = this.#sandboxes.get(project.id);
    if (method === 'GET') return json(response, 200, sandbox ? sandbox.body() : { status: 'not_created', message: 'Sandbox not created yet' });
    if (method === 'DELETE') {
      sandbox?.remove('terminated');
      return json(response, 202, { status: 'terminating', message: 'The sandbox is being removed.' });
    }
    const isActive = sandbox && ['creating', 'running'].includes(sandbox.status);
    const started = sandbox ?? this.#newSandbox(project);
    if (!isActive) started.start();
    return json(response, 202, { status: isActive ? 'already_running' : 'created', message: 'Sandbox is being created', sandbox: started.body().sandbox, eventsUrl: `/api/sandbox/${project.id}/events` });
  }
}

function refuse(status, message, fields) {
  return Object.assign(new Error(message), { status, fields });
}

function cookie(request) {
  return /(?:^|; )fs=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
}

async function readJson(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > BODY_CEILING_BYTES) throw refuse(413, 'The body is too large.');
  }
  return text ? JSON.parse(text) : {};
}

function json(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}

function problem(response, status, detail, errors) {
  response.writeHead(status, { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify({ error: detail, title: detail, detail, status, ...(errors && { errors }) }));
}

function servePage(path, response) {
  const wanted = join(dist, normalize(path));
  const isFile = wanted.startsWith(dist) && existsSync(wanted) && statSync(wanted).isFile();
  const file = isFile ? wanted : join(dist, 'index.html');
  response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
  response.setHeader('Content-Security-Policy', POLICY);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (!isFile) return response.end(readFileSync(file));
  return createReadStream(file).pipe(response);
}
