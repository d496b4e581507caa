// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyToList, countGroups, formatListQuery, groupOf, parseListQuery, rowWords, selectProjects } from '../src/lib/list.ts';

const at = (s) => `2026-11-23T12:00:${String(s).padStart(2, '0')}.000Z`;
const project = (id, name, status, second, more = {}) => ({
  id, name, description: null, githubRepo: null, status: 'READY', createdAt: at(0), updatedAt: at(second),
  sandbox: status ? { status, attempt: 1 } : null, ...more,
});
const list = [
  project('a', 'shop 10', 'running', 10),
  project('b', 'shop 9', 'creating', 30, { description: 'Till and stock' }),
  project('c', 'Blog', null, 20),
  project('d', 'mail', 'error', 5),
];
const ids = (search) => selectProjects(list, parseListQuery(search)).map((p) => p.id).join('');
const event = (kind, seq, second, more) => ({ kind, seq, projectId: 'b', attempt: 1, at: at(second), ...more });

test('last activity comes first unless another order is asked for', () => {
  assert.equal(ids(''), 'bcad');
  assert.equal(ids('?sort=name'), 'cdba');
  assert.equal(ids('?sort=nonsense'), 'bcad');
});

test('rows of the same moment keep their places', () => {
  const twins = ['y', 'x', 'z'].map((id) => project(id, 'twin', null, 1));
  for (const order of ['activity', 'name', 'created']) {
    assert.equal(selectProjects(twins, { text: '', group: 'all', order }).map((p) => p.id).join(''), 'xyz');
  }
});

test('all words must be found, in name or description, in any case', () => {
  assert.equal(ids('?q=SHOP'), 'ba');
  assert.equal(ids('?q=stock+shop'), 'b');
  assert.equal(ids('?q=shop+blog'), '');
});

test('each project is in exactly one group', () => {
  assert.deepEqual(countGroups(list), { all: 4, running: 1, working: 1, failed: 1, stopped: 0, idle: 1 });
  assert.equal(ids('?status=failed'), 'd');
  const groups = (statuses) => statuses.map((status) => groupOf(status));
  assert.deepEqual(groups(['starting', 'stopping', 'terminating']), ['working', 'working', 'working']);
  assert.deepEqual(groups(['stopped', 'terminated', 'not_created']), ['stopped', 'idle', 'idle']);
});

test('the query survives the address', () => {
  for (const search of ['', '?q=a%26b&status=idle&sort=name']) {
    assert.deepEqual(parseListQuery(formatListQuery(parseListQuery(search))), parseListQuery(search));
  }
  assert.equal(formatListQuery({ text: '', group: 'all', order: 'activity' }), '');
});

test('events move a row: status, message and last activity', () => {
  const moved = applyToList(list, event('done', 9, 40, { outcome: 'ready', message: 'ok' }));
  assert.equal(moved[1].sandbox.status, 'running');
  assert.equal(moved[1].updatedAt, at(40));
  assert.equal(applyToList(list, event('stage', 9, 40, { stage: 'x', status: 'completed', message: 'm' }))[1].sandbox.status, 'creating');
});

test('a stop moves its row to stopped by its end alone, with words only on the way', () => {
  const running = [project('b', 'shop', 'running', 30)];
  const stopping = applyToList(running, event('status', 8, 40, { status: 'stopping', message: 'waiting for the container to end' }));
  assert.deepEqual([stopping[0].sandbox.status, rowWords(stopping[0])], ['stopping', 'waiting for the container to end']);
  const stopped = applyToList(stopping, event('done', 9, 41, { outcome: 'stopped', message: 'the sandbox and its database are stopped' }));
  assert.deepEqual([stopped[0].sandbox.status, rowWords(stopped[0])], ['stopped', null]);
  const starting = applyToList(stopped, { ...event('status', 10, 42, { status: 'starting', message: 'start requested' }), attempt: 2 });
  assert.deepEqual([starting[0].sandbox.status, rowWords(starting[0])], ['starting', 'start requested']);
});

test('a replayed event does not take a row back', () => {
  const moved = applyToList(list, event('status', 2, 29, { status: 'terminated' }));
  assert.equal(moved[1].sandbox.status, 'creating');
});

test('an event of an earlier attempt changes nothing', () => {
  const second = applyToList(list, { ...event('status', 8, 40, { status: 'creating' }), attempt: 2 });
  assert.equal(applyToList(second, event('done', 9, 41, { outcome: 'failed' }))[1].sandbox.status, 'creating');
});

test('a deleted project leaves the list, an unknown one asks for a new read', () => {
  assert.deepEqual(applyToList(list, event('done', 9, 40, { outcome: 'deleted' })).map((p) => p.id), ['a', 'c', 'd']);
  assert.equal(applyToList(list, { ...event('status', 9, 40, { status: 'creating' }), projectId: 'zz' }), null);
});

test('a row knows that it waits for its turn, and that it no longer does', () => {
  const waits = applyToList(list, event('queued', 9, 40, { status: 'creating', position: 2, estimateMs: null, message: 'position 2' }));
  assert.deepEqual(waits[1].sandbox.queue, { position: 2, estimateMs: null, since: at(40) });
  const nearer = applyToList(waits, event('queued', 10, 50, { status: 'creating', position: 1, estimateMs: 9000 }));
  assert.deepEqual(nearer[1].sandbox.queue, { position: 1, estimateMs: 9000, since: at(40) });
  assert.equal(applyToList(nearer, event('status', 11, 60, { status: 'creating' }))[1].sandbox.queue, null);
});
