// SPDX-License-Identifier: MIT
/* Sandboxes that come and go by a script: five stages that overlap, failures by project name ("fail…" fails on its first
 * attempt, "stuck…" fails its first stop, "drift…" is found broken once it runs, "slow…" takes ten times as long). Time is divided by `speed`; a paced sandbox takes none: each call of next()
 * brings one event, so that a test sees every state however long its browser is held up. */

const SLOW_FACTOR = 10;

/** [stage, title, starts after ms, lasts ms, what it says on the way] */
const STAGES = [
  ['database', 'Database Creation', 0, 4200, ['asking KubeBlocks for a PostgreSQL cluster', 'waiting for the first replica', 'checking the credentials by SELECT 1']],
  ['container', 'Container Provisioning', 300, 6100, ['pod is scheduled on node-2', 'pulling the image', 'starting the container']],
  ['networking', 'Network Configuration', 6500, 900, ['creating the service and both addresses']],
  ['terminal', 'Terminal Initialization', 7500, 1500, ['waiting for port 7681 to answer']],
  ['ready', 'Environment Ready', 9100, 400, ['checking that the deployment is available']],
];
const FAILURE = {
  code: 'IMAGE_PULL',
  message: 'The image fullstackagent/fullstack-web-runtime:v9 could not be pulled: not found.',
  hint: 'Set RUNTIME_IMAGE to a tag that exists, then retry.',
};
const STUCK = { code: 'DEADLINE', message: 'waiting for the database to stop', hint: 'Look at the pods of the database, then stop it again.' };
const DRIFT = { code: 'DRIFT', message: 'the pod is not ready', hint: 'Restart the environment.' };
const REMOVAL_MS = 1200;
const STOP_MS = 1600;

/** What may be asked for in which state, as core/action.h has it. */
const ACTIONS = {
  start: ['stopped', 'stopping', 'error', 'terminated'],
  stop: ['running', 'starting', 'error', 'terminated'],
  restart: ['running'],
  delete: ['creating', 'starting', 'running', 'stopping', 'stopped', 'error', 'terminated'],
};

const letters = () => Array.from({ length: 12 }, () => 'abcdefghijklmnopqrstuvwxyz'[Math.floor(Math.random() * 26)]).join('');

export class Sandbox {
  status = 'creating';
  attempt = 0;
  error = null;
  desired = 'running';
  stops = 0;
  #timers = [];
  #planned = [];

  constructor(project, journal, { speed, isPaced }) {
    this.project = project;
    this.journal = journal;
    this.isPaced = isPaced;
    this.speed = project.name.startsWith('slow') ? speed / SLOW_FACTOR : speed;
    this.publicUrl = `https://${letters()}.usw.example.test`;
    this.ttydUrl = `https://${letters()}.usw.example.test`;
  }

  get actions() {
    return Object.keys(ACTIONS).filter((action) => ACTIONS[action].includes(this.status));
  }

  /** Ends what runs and keeps it. */
  halt() {
    this.#stop();
    this.stops += 1;
    this.error = null;
    this.desired = 'stopped';
    this.#turn('stopping', 'stop requested');
    this.#later(STOP_MS / 4, () => this.#turn('stopping', 'waiting for the container to end'));
    this.#later(STOP_MS / 2, () => this.#turn('stopping', 'waiting for the database to stop'));
    this.#later(STOP_MS, () => {
      if (this.project.name.startsWith('stuck') && this.stops === 1) return this.#end('error', 'failed', STUCK);
      for (const s of this.stages.filter((s) => s.status === 'in_progress')) this.#move(s.id, 'skipped', { message: 'stopped' });
      return this.#end('stopped', 'stopped', { message: 'the sandbox and its database are stopped, their data is kept' });
    });
  }

  start(status = 'creating') {
    this.#stop();
    this.attempt += 1;
    this.error = null;
    this.desired = 'running';
    this.startedAt = new Date().toISOString();
    const kept = status === 'creating' ? (this.stages?.filter((s) => s.status === 'completed').map((s) => s.id) ?? []) : [];
    this.stages = STAGES.map(([id, title, , usualMs]) => ({
      id, title, status: 'pending', code: null, message: null, hint: null, startedAt: null, endedAt: null, durationMs: null, usualMs,
    }));
    this.#turn(status, status === 'creating' ? 'Creation started.' : 'start requested');
    for (const [id, , after, lasts, says] of STAGES) {
      if (kept.includes(id)) this.#move(id, 'skipped', { message: 'kept from the attempt before' });
      else this.#play(id, after, lasts, says);
    }
  }

  #play(id, after, lasts, says) {
    const isFailing = this.project.name.startsWith('fail') && this.attempt === 1 && id === 'container';
    for (const [i, message] of says.entries()) {
      this.#later(after + (lasts * i) / says.length, () => this.#move(id, 'in_progress', { message }));
    }
    this.#later(after + lasts, () => (isFailing ? this.#fail(id) : this.#complete(id)));
  }

  #complete(id) {
    this.#move(id, 'completed', {});
    if (id !== 'ready') return;
    this.#end('running', 'ready', { message: 'the sandbox is ready' });
  }

  #fail(id) {
    this.#stop();
    this.#move(id, 'failed', FAILURE);
    this.#end('error', 'failed', FAILURE);
  }

  /** Ends it in whatever state it is; `then` runs when it is gone. */
  remove(outcome, then = () => {}) {
    const isCancelled = this.status === 'creating' && outcome === 'terminated';
    this.#stop();
    this.error = null;
    this.desired = outcome;
    this.#turn('terminating', 'termination requested');
    this.#later(REMOVAL_MS, () => {
      this.#end('terminated', isCancelled ? 'cancelled' : outcome, { message: 'the sandbox is terminated, the database is kept' });
      then();
    });
  }

  body() {
    const { attempt, stages, startedAt, publicUrl, ttydUrl, actions, desired } = this;
    const error = this.project.name.startsWith('drift') && this.attempt === 1 && this.status === 'running' ? DRIFT : this.error;
    const [status, message] = error ? ['error', error.message] : [this.status, this.message];
    return {
      status, message, actions, desired, attempt, stages, startedAt, serverTime: new Date().toISOString(),
      sandbox: { id: `sb-${this.project.id}`, publicUrl, ttydUrl, status: status.toUpperCase() },
      failure: error,
    };
  }

  stop() {
    this.#stop();
  }

  /** Brings the next event of a paced sandbox; the last one told, null when there is none left. */
  next() {
    const planned = this.#planned.shift();
    planned?.fn();
    return planned ? this.told : null;
  }

  #later(ms, fn) {
    if (!this.isPaced) this.#timers.push(setTimeout(fn, ms / this.speed));
    else this.#planned = [...this.#planned, { ms, fn }].sort((a, b) => a.ms - b.ms);
  }

  #stop() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#planned = [];
  }

  #move(id, status, { code = null, message = null, hint = null }) {
    const stage = this.stages.find((s) => s.id === id);
    const now = new Date();
    const isOver = status !== 'in_progress';
    if (stage.startedAt === null) stage.startedAt = now.toISOString();
    if (isOver) stage.endedAt = now.toISOString();
    stage.durationMs = isOver ? now - new Date(stage.startedAt) : null;
    Object.assign(stage, { status, code, message, hint });
    this.message = message;
    this.#tell('stage', { stage: id, status, code, message, hint, durationMs: stage.durationMs });
  }

  #turn(status, message) {
    Object.assign(this, { status, message });
    this.#tell('status', { status, message });
  }

  /** As the server tells it: the end alone says which status it leaves. */
  #end(status, outcome, { code = null, message, hint = null }) {
    Object.assign(this, { status, message });
    if (outcome === 'failed') this.error = { code, message, hint };
    this.#tell('done', { outcome, status, code, message, hint });
  }

  #tell(event, fields) {
    const { at } = this.journal.append(event, { projectId: this.project.id, attempt: this.attempt, ...fields });
    this.told = { event, ...fields };
    this.project.updatedAt = at;
  }
}
