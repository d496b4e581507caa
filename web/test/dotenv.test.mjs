// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDotenv } from '../src/lib/dotenv.ts';

const pairs = (text) => parseDotenv(text).map((v) => [v.key, v.value]);

test('names, comments, exports and spaces are read as a shell has them', () => {
  assert.deepEqual(pairs('# head\r\nA=1\n\n export B = two words  # why\nC=\nURL=http://x/#a\nD=#none'),
    [['A', '1'], ['B', 'two words'], ['C', ''], ['URL', 'http://x/#a'], ['D', '']]);
});

test('quotes keep what is in them, over lines too', () => {
  assert.deepEqual(pairs(`A=' x # "y" \\n '\nB="l1\\nl2 \\"q\\" \\\\"\nKEY="-----\nbody\n-----" # a key\nZ=1`),
    [['A', ' x # "y" \\n '], ['B', 'l1\nl2 "q" \\'], ['KEY', '-----\nbody\n-----'], ['Z', '1']]);
});

test('each knows its line, and the last of a name wins', () => {
  assert.deepEqual(parseDotenv('A="x\ny"\nB=1\nA=2'), [{ key: 'A', value: '2', line: 4 }, { key: 'B', value: '1', line: 3 }]);
});

test('what is no variable is told with its line, and nothing is taken', () => {
  assert.deepEqual(parseDotenv('A=1\nnonsense'), { line: 2, detail: 'is no NAME=value' });
  assert.deepEqual(parseDotenv('A="open\nB=1'), { line: 1, detail: 'has a quote that does not end, or text after it' });
  assert.equal(parseDotenv('1A=x').line, 1);
});
