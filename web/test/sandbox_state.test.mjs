// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allows, applyEvent, areStagesNews, attemptEndMs, blamed, currentStage, finishedStages, mayAllow, parseStatus, viewFromBody,
} from '../src/lib/sandbox_state.ts';

const IDS = ['database', 'container', 'networking', 'terminal', 'ready'];
const at = (s) => new Date(Date.UTC(2026, 10, 23, 12, 0, 0) + s * 1000).toISOString();
const ms = (s) => Date.parse(at(s));

function body(status, times = {}, more = {}) {
  const stages = IDS.map((id) => {
    const [from, to] = times[id] ?? [];
    return {
      id, title: `Title of ${id}`, usualMs: 4000,
      status: to !== undefined ? 'completed' : from !== undefined ? 'in_progress' : 'pending',
      startedAt: from === undefined ? null : at(from), endedAt: to === undefined ? null : at(to),
      durationMs: to === undefined ? null : (to - from) * 1000,
    };
  });
  return { status, attempt: 1, startedAt: at(0), stages, sandbox: { id: 's', publicUrl: 'https://a.example', ttydUrl: 'https://t.example' }, ...more };
}

let lastSeq = 0;
const ev = (kind, second, more) => ({ kind, seq: ++lastSeq, projectId: 'p', attempt: 1, at: at(second), message: null, ...more });
const stage = (second, id, status, more) => ev('stage', second, { stage: id, status, ...more });

/** The journal of one good creation in which stages overlap. */
function journal() {
  lastSeq = 0;
  return [
    ev('status', 0, { status: 'creating' }),
    stage(0, 'database', 'in_progress'),
    stage(1, 'container', 'in_progress'),
    stage(3, 'container', 'in_progress', { message: 'pulling image' }),
    stage(5, 'database', 'completed', { durationMs: 5000 }),
    stage(6, 'container', 'completed', { durationMs: 5000 }),
    stage(6, 'networking', 'in_progress'),
    stage(7, 'networking', 'completed', { durationMs: 1000 }),
    stage(7, 'terminal', 'in_progress'),
    stage(9, 'terminal', 'completed', { durationMs: 2000 }),
    stage(9, 'ready', 'in_progress'),
    stage(9, 'ready', 'completed', { durationMs: 10 }),
    ev('status', 9, { status: 'running' }),
    ev('done', 9, { outcome: 'ready', publicUrl: 'https://a.example', ttydUrl: 'https://t.example' }),
  ];
}

const run = (view, events) => events.reduce(applyEvent, view);
const words = (view) => view.stages.map((s) => s.status);
const shown = ({ status, attempt, stages, publicUrl, ttydUrl, failure }) => ({
  status, attempt, publicUrl, ttydUrl, failure,
  stages: stages.map(({ id, status: s, startedMs, endedMs, durationMs }) => ({ id, s, startedMs, endedMs, durationMs })),
});

test('a whole journal makes a ready page with the clock of each stage', () => {
  const view = run(viewFromBody(body('creating'), 0), journal());
  assert.equal(view.status, 'running');
  assert.deepEqual(new Set(words(view)), new Set(['completed']));
  assert.deepEqual(view.stages.map((s) => s.durationMs), [5000, 5000, 1000, 2000, 10]);
  assert.equal(attemptEndMs(view), ms(9));
  assert.equal(view.ttydUrl, 'https://t.example');
});

test('an answer in the middle, then the whole journal once more, ends the same as without the answer', () => {
  const events = journal();
  const whole = run(viewFromBody(body('creating'), 0), events);
  const midway = viewFromBody(body('creating', { database: [0, 5], container: [1, 6], networking: [6] }), 0);
  assert.deepEqual(shown(run(midway, events)), shown(whole));
});

test('no replayed event ever takes a stage or the status back behind the answer', () => {
  const rank = { pending: 0, in_progress: 1, completed: 2, failed: 2, skipped: 2 };
  const start = viewFromBody(body('running', { database: [0, 5], container: [1, 6], networking: [6, 7], terminal: [7, 9], ready: [9, 9] }), 0);
  let view = start;
  for (const event of journal()) {
    view = applyEvent(view, event);
    assert.equal(view.status, 'running', `event ${event.seq}`);
    for (const [i, s] of view.stages.entries()) assert.ok(rank[s.status] >= rank[start.stages[i].status], `event ${event.seq}, ${s.id}`);
  }
});

test('each event twice is the same as once', () => {
  const events = journal();
  const once = run(viewFromBody(body('creating'), 0), events);
  const twice = run(viewFromBody(body('creating'), 0), events.flatMap((e) => [e, e]));
  assert.deepEqual(twice, once);
});

test('an event that comes after a later one changes nothing, and the same value comes back', () => {
  const events = journal();
  const view = run(viewFromBody(body('creating'), 0), events.slice(0, 5));
  assert.equal(applyEvent(view, events[1]), view);
});

test('the end of a stage whose start was not heard tells both by its duration', () => {
  const view = run(viewFromBody(body('creating'), 0), [stage(5, 'database', 'completed', { durationMs: 4000 })]);
  assert.deepEqual([view.stages[0].startedMs, view.stages[0].durationMs], [ms(1), 4000]);
});

test('a message while a stage goes on keeps its start', () => {
  const view = run(viewFromBody(body('creating'), 0), journal().slice(0, 4));
  const container = view.stages[1];
  assert.equal(container.message, 'pulling image');
  assert.equal(container.startedMs, ms(1));
  assert.equal(currentStage(view).id, 'database');
  assert.equal(finishedStages(view), 0);
});

test('a failure names stage, code and hint; stages that are done stay done', () => {
  const events = journal().slice(0, 5);
  const failed = stage(8, 'container', 'failed', { code: 'IMAGE_PULL', message: 'no such image', hint: 'check the name', durationMs: 7000 });
  const view = run(viewFromBody(body('creating'), 0), [...events, failed, ev('done', 8, { outcome: 'failed', code: 'IMAGE_PULL', message: 'no such image' })]);
  assert.equal(view.status, 'error');
  assert.deepEqual(view.failure, { stageId: 'container', code: 'IMAGE_PULL', message: 'no such image', hint: 'check the name' });
  assert.deepEqual(words(view).slice(0, 2), ['completed', 'failed']);
  assert.equal(currentStage(view).id, 'container');
});

test('a later attempt begins with all stages to come, and the earlier one has no say in it', () => {
  const failed = run(viewFromBody(body('creating'), 0), [...journal().slice(0, 3), ev('done', 4, { outcome: 'failed', message: 'x' })]);
  const again = applyEvent(failed, { ...ev('status', 20, { status: 'creating' }), attempt: 2 });
  assert.deepEqual([again.status, again.attempt, again.failure, again.startedMs], ['creating', 2, null, ms(20)]);
  assert.deepEqual(new Set(words(again)), new Set(['pending']));
  assert.equal(again.stages[0].title, 'Title of database');
  const late = applyEvent(again, { ...ev('done', 21, { outcome: 'failed' }), attempt: 1 });
  assert.equal(late, again);
});

test('a stage may fall back within its attempt, and keeps the clock of its first start', () => {
  const begun = journal().slice(0, 2);
  let view = run(viewFromBody(body('creating'), 0), [...begun, stage(8, 'database', 'failed', { message: 'x' })]);
  view = run(view, [ev('status', 12, { status: 'creating' }), stage(12, 'database', 'in_progress')]);
  assert.deepEqual([view.status, words(view)[0], view.stages[0].startedMs, view.stages[0].endedMs], ['creating', 'in_progress', ms(0), null]);
});

test('the replayed failure of an attempt that was retried and is ready does not show', () => {
  const ready = viewFromBody(body('running', { database: [12, 15], container: [15, 16], networking: [16, 17], terminal: [17, 18], ready: [18, 19] }), 0);
  const replay = [stage(8, 'database', 'failed', { message: 'x' }), ev('done', 8, { outcome: 'failed', message: 'x' })];
  assert.deepEqual(shown(run(ready, replay)), shown(ready));
});

test('a new attempt counts even when the clock of the journal was set back', () => {
  const ready = viewFromBody(body('running', { database: [100, 105] }), 0);
  const view = run(ready, [
    { ...ev('status', 20, { status: 'creating' }), attempt: 2 },
    { ...stage(20, 'database', 'in_progress'), attempt: 2 },
    { ...ev('done', 21, { outcome: 'failed', message: 'x' }), attempt: 2 },
  ]);
  assert.deepEqual([view.status, words(view)[0]], ['error', 'in_progress']);
});

test('cancelled, terminated and deleted are told apart', () => {
  const base = run(viewFromBody(body('creating'), 0), journal().slice(0, 3));
  const end = (outcome) => applyEvent(base, ev('done', 9, { outcome }));
  assert.deepEqual([end('cancelled').status, end('cancelled').wasCancelled], ['terminated', true]);
  assert.deepEqual([end('terminated').status, end('terminated').wasCancelled], ['terminated', false]);
  assert.equal(end('deleted').wasDeleted, true);
  assert.equal(end('something new').status, 'creating');
});

test('a cancelled attempt reads the same from the answer as from the events', () => {
  const view = viewFromBody(body('terminated', { database: [0] }), 4);
  assert.deepEqual([view.wasCancelled, view.failure, view.seq], [true, null, 4]);
  const blamed = body('terminated', { database: [0] });
  blamed.stages[0] = { ...blamed.stages[0], status: 'failed', code: 'CANCELLED' };
  assert.equal(viewFromBody(blamed, 0).wasCancelled, true);
  blamed.stages[4] = { ...blamed.stages[4], status: 'skipped', code: 'CANCELLED' };
  assert.equal(viewFromBody(blamed, 0).wasCancelled, true);
  blamed.stages[0].code = 'DEADLINE';
  assert.equal(viewFromBody(blamed, 0).wasCancelled, false, 'removed after a failure');
  assert.equal(viewFromBody(body('terminated', { ready: [9, 9] }), 0).wasCancelled, false, 'removed after it was ready');
});

test('an answer without a sandbox is a page without stages', () => {
  const view = viewFromBody({ status: 'not_created', message: 'Sandbox not created yet' }, 0);
  assert.deepEqual([view.status, view.stages, view.attempt, view.publicUrl], ['not_created', [], 0, null]);
});

test('the failure of the answer comes before what its stage says', () => {
  const failed = body('error', {}, { failure: { code: 'DEADLINE', message: 'took too long', hint: 'retry' } });
  assert.deepEqual(viewFromBody(failed, 0).failure, { stageId: null, code: 'DEADLINE', message: 'took too long', hint: 'retry' });
});

test('a failure without a body of its own is told from the failed stage, or as it stands', () => {
  const failed = body('error');
  failed.stages[2] = { ...failed.stages[2], status: 'failed', code: 'INGRESS_CONFLICT', message: 'host is taken', hint: 'delete the other' };
  assert.deepEqual(viewFromBody(failed, 0).failure, { stageId: 'networking', code: 'INGRESS_CONFLICT', message: 'host is taken', hint: 'delete the other' });
  const found = body('error', {}, { failure: { code: null, message: 'could not be looked at', hint: null } });
  assert.equal(viewFromBody(found, 0).failure.message, 'could not be looked at');
});

test('a status in capitals is known, an unknown one counts as an error', () => {
  assert.equal(parseStatus('RUNNING'), 'running');
  assert.equal(parseStatus('exploded'), 'error');
});

const DONE = Object.fromEntries(IDS.map((id) => [id, [0, 1]]));
const ready = (more) => viewFromBody(body('running', DONE, { desired: 'running', actions: ['stop', 'restart', 'delete'], ...more }), 0);

test('a stop is told with its words and ends stopped', () => {
  lastSeq = 0;
  const running = ready();
  assert.deepEqual([running.words, areStagesNews(running)], [null, true]);
  const stopping = applyEvent(running, ev('status', 5, { status: 'stopping', message: 'waiting for the container to end' }));
  assert.deepEqual([stopping.status, stopping.words, areStagesNews(stopping)], ['stopping', 'waiting for the container to end', false]);
  const stopped = applyEvent(stopping, ev('done', 6, { outcome: 'stopped' }));
  assert.deepEqual([stopped.status, stopped.words, stopped.failure, areStagesNews(stopped)], ['stopped', null, null, false]);
  const again = applyEvent(stopped, { ...ev('status', 9, { status: 'starting' }), attempt: 2 });
  assert.deepEqual([again.status, again.attempt, finishedStages(again), again.isStop, areStagesNews(again)], ['starting', 2, 0, false, true]);
});

test('what may be asked for is the answer\'s, and not known from a change of status to the next answer', () => {
  lastSeq = 0;
  const asks = (view) => ['start', 'stop', 'restart'].map((action) => [allows(view, action), mayAllow(view, action)]);
  const running = ready();
  assert.deepEqual(asks(running), [[false, false], [true, true], [true, true]]);
  assert.equal(applyEvent(running, stage(2, 'database', 'completed')).areActionsOld, false);
  const stopping = applyEvent(running, ev('status', 5, { status: 'stopping' }));
  assert.equal(stopping.areActionsOld, true);
  assert.equal(applyEvent(stopping, ev('status', 6, { status: 'stopping', message: 'x' })).areActionsOld, true);
  assert.equal(mayAllow(stopping, 'start'), true);
  const told = viewFromBody(body('stopping', DONE, { desired: 'stopped', actions: ['start', 'delete'] }), 3);
  assert.deepEqual([told.areActionsOld, ...asks(told)], [false, [true, true], [false, false], [false, false]]);
  const next = applyEvent(told, { ...ev('status', 9, { status: 'starting' }), attempt: 2 });
  assert.deepEqual([next.actions, next.areActionsOld], [[], true], 'a new attempt has nothing of the old');
});

test('a stop that failed is no failed creation, by its events as by the answer', () => {
  lastSeq = 0;
  const late = { code: 'DEADLINE', message: 'waiting for the database to stop', hint: 'look at its pods' };
  const told = run(ready(), [ev('status', 5, { status: 'stopping' }), ev('done', 6, { outcome: 'failed', ...late })]);
  const read = viewFromBody(body('error', DONE, { desired: 'stopped', failure: late }), 0);
  for (const view of [told, read]) {
    assert.deepEqual([view.status, blamed(view), areStagesNews(view)], ['error', 'stop', false]);
    assert.deepEqual(view.failure, { stageId: null, ...late });
  }
});

test('a stage that failed before a stop has no part in the failure of the stop', () => {
  lastSeq = 0;
  const broken = body('error', { database: [0, 1] }, { desired: 'running' });
  broken.stages[1] = { ...broken.stages[1], status: 'failed', code: 'IMAGE_PULL', message: 'no such image' };
  const creation = viewFromBody(broken, 0);
  assert.deepEqual([blamed(creation), creation.failure.stageId, areStagesNews(creation)], ['creation', 'container', true]);
  assert.equal(blamed(viewFromBody({ ...broken, attempt: 2 }, 0)), 'start');
  const stop = run(creation, [ev('status', 5, { status: 'stopping' }), ev('done', 6, { outcome: 'failed', code: 'DEADLINE', message: 'late' })]);
  assert.deepEqual([blamed(stop), stop.failure], ['stop', { stageId: null, code: 'DEADLINE', message: 'late', hint: null }]);
  const again = applyEvent(stop, { ...ev('status', 9, { status: 'creating' }), attempt: 2 });
  assert.equal(again.isStop, false);
});

test('a repair is no creation: what it makes again has its own clock, and no stage is to blame', () => {
  lastSeq = 0;
  const ready = viewFromBody(body('running', DONE, { desired: 'running' }), 0);
  const drifted = run(ready, [ev('status', 100, { status: 'error', code: 'DRIFT', message: 'the Service is gone', hint: 'Wait.' })]);
  assert.deepEqual([drifted.status, drifted.failure.code, blamed(drifted), areStagesNews(drifted)], ['error', 'DRIFT', 'environment', false]);
  const making = run(drifted, [ev('stage', 101, { stage: 'networking', status: 'in_progress', message: 'creating the Service' })]);
  assert.deepEqual([making.status, making.attempt, blamed(making), areStagesNews(making)], ['error', drifted.attempt, 'environment', true]);
  const stage = making.stages.find((s) => s.id === 'networking');
  assert.equal(stage.startedMs, Date.parse(ev('stage', 101, {}).at));
  const mended = run(making, [ev('stage', 102, { stage: 'networking', status: 'completed', durationMs: 1000 }), ev('done', 102, { outcome: 'ready' })]);
  assert.deepEqual([mended.status, mended.failure], ['running', null]);
});

test('a repair that failed blames neither the creation nor a start, by its events as by the answer', () => {
  lastSeq = 0;
  const running = viewFromBody(body('running', DONE, { desired: 'running' }), 0);
  const why = { code: 'FORBIDDEN', message: 'Service: not allowed', hint: 'Ask.' };
  const told = run(running, [
    ev('status', 100, { status: 'error', code: 'DRIFT', message: 'the Service is gone', hint: 'Wait.' }),
    ev('stage', 101, { stage: 'networking', status: 'in_progress' }),
    ev('stage', 102, { stage: 'networking', status: 'failed', ...why }),
    ev('done', 102, { outcome: 'failed', ...why }),
  ]);
  const after = body('error', DONE, { desired: 'running', failure: why });
  after.stages[2] = { ...after.stages[2], status: 'failed', ...why };
  for (const attempt of [1, 2]) {
    const read = viewFromBody({ ...after, attempt }, 0);
    assert.deepEqual([blamed(read), read.failure.stageId, areStagesNews(read)], ['repair', 'networking', true]);
  }
  assert.deepEqual([told.status, blamed(told), told.failure.stageId], ['error', 'repair', 'networking']);
  const again = applyEvent(told, { ...ev('status', 110, { status: 'starting' }), attempt: 2 });
  const failed = run(again, [ev('stage', 111, { stage: 'networking', status: 'failed', ...why }), ev('done', 111, { outcome: 'failed', ...why })]
    .map((event) => ({ ...event, attempt: 2 })));
  assert.equal(blamed(failed), 'start', 'of the attempt after it');
});

test('what broke after it was ready, or could not be read, is no failed creation', () => {
  const drift = viewFromBody(body('error', DONE, { desired: 'running', failure: { code: 'DRIFT', message: 'the pod is not ready' } }), 0);
  assert.deepEqual([blamed(drift), areStagesNews(drift)], ['environment', false]);
  assert.equal(blamed(viewFromBody(body('error', {}, { failure: { code: null, message: 'could not be looked at', hint: null } }), 0)), 'environment');
});

test('a removal hides the stages of what was ready, and shows those of what it cuts short', () => {
  lastSeq = 0;
  const removal = ev('status', 5, { status: 'terminating' });
  assert.equal(areStagesNews(applyEvent(ready(), removal)), false);
  assert.equal(areStagesNews(applyEvent(viewFromBody(body('creating', { database: [0] }), 0), removal)), true);
  const stopped = viewFromBody(body('stopped', DONE, { desired: 'stopped' }), 0);
  assert.equal(applyEvent(stopped, removal).isStop, false);
});

test('a warning comes with an event or an answer and goes with the next', () => {
  const told = { code: 'IDLE_SOON', message: 'it stops in 10 min unless it is used: it may be idle for 2 h' };
  lastSeq = 0;
  const running = viewFromBody(body('running'), 0);
  assert.equal(running.warning, null);
  const warned = applyEvent(running, ev('status', 100, { status: 'running', ...told }));
  assert.deepEqual(warned.warning, { words: told.message, isKeptByUse: true });
  assert.equal(warned.status, 'running');
  assert.equal(warned.failure, null);
  assert.deepEqual(viewFromBody(body('running', {}, told), 0).warning, warned.warning);
  assert.equal(viewFromBody(body('running', {}, { ...told, code: 'AGE_SOON' }), 0).warning.isKeptByUse, false);
  const kept = applyEvent(warned, ev('status', 110, { status: 'running', message: 'it is used and does not stop' }));
  assert.equal(kept.warning, null);
  assert.equal(applyEvent(warned, ev('status', 120, { status: 'stopping', code: 'IDLE_STOP', message: 'stop requested' })).warning, null);
  assert.equal(viewFromBody(body('stopped', {}, told), 0).warning, null);
});

test('a place in the queue comes with an event or an answer, moves up, and goes when its turn comes', () => {
  lastSeq = 0;
  const asked = applyEvent(viewFromBody(body('creating'), 0), ev('status', 1, { status: 'creating' }));
  assert.equal(asked.queue, null);
  const queued = (second, position, estimateMs) => ev('queued', second, { status: 'creating', position, estimateMs });
  const third = applyEvent(asked, queued(1, 3, null));
  assert.deepEqual(third.queue, { position: 3, estimateMs: null, sinceMs: ms(1) });
  const next = applyEvent(third, queued(9, 1, 40_000));
  assert.deepEqual(next.queue, { position: 1, estimateMs: 40_000, sinceMs: ms(1) });
  const answer = body('creating', {}, { queue: { position: 1, estimateMs: 40_000, since: at(1) } });
  assert.deepEqual(viewFromBody(answer, 0).queue, next.queue);
  assert.equal(applyEvent(next, ev('status', 20, { status: 'creating', message: 'its turn has come' })).queue, null);
  assert.equal(applyEvent(next, stage(20, 'database', 'in_progress')).queue, null);
  assert.equal(applyEvent(next, ev('done', 20, { outcome: 'cancelled' })).queue, null);
  assert.deepEqual(applyEvent(next, stage(0, 'database', 'pending')).queue, next.queue);
});
