// Work that can be interrupted gives what it gives at once, and others get their turn while it goes on.
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from '@jest/globals';
import { parseDescription, readDescription } from '@bootmem/firmware-map';
import { parseJson } from '../dist/base/parse-json.js';
import { sorted } from '../dist/base/sort-steps.js';
import { atOnce, STEP_RECORDS } from '../dist/base/steps.js';
import { fixture } from './helpers.js';

/** More than is parsed at once. */
const PADDING = ' '.repeat(2 ** 20 + 1);

/** What comes of a text: a value, or that it is none. */
function outcome(parse: () => unknown): unknown {
  try {
    return { value: parse() };
  } catch {
    return 'no JSON';
  }
}

test('a long text of JSON is what JSON.parse makes of it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t\r\n'), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      expect(atOnce(parseJson(PADDING + text))).toEqual(JSON.parse(text));
    }),
    { numRuns: 300 },
  );
});

test('what is no JSON for JSON.parse is none, wherever it is damaged', () => {
  const damaged = fc.record({
    value: fc.jsonValue(),
    at: fc.nat(),
    removed: fc.nat(2),
    put: fc.constantFrom(
      '',
      '"',
      '\\',
      ',',
      ':',
      '[',
      ']',
      '{',
      '}',
      '0',
      '-',
      '.',
      'e',
      't',
      '\u0000',
      '\n',
      '\\u12',
      ' ',
    ),
  });
  fc.assert(
    fc.property(damaged, ({ value, at, removed, put }) => {
      const whole = JSON.stringify(value);
      const place = at % (whole.length + 1);
      const text = whole.slice(0, place) + put + whole.slice(place + removed);
      const long = outcome(() => atOnce(parseJson(PADDING + text)));
      expect(long).toEqual(outcome(() => JSON.parse(text)));
    }),
    { numRuns: 2000 },
  );
});

test('texts longer than a step, with escapes at its border, and names of prototypes', () => {
  const texts = [
    '\\'.repeat(70_000),
    '"'.repeat(70_000),
    '\u0001\u2028'.repeat(40_000),
    'x'.repeat(16_383) + '\u0007' + 'y'.repeat(100_000),
  ];
  for (const text of texts) {
    const json = JSON.stringify({ ['__proto__']: text, text, [text]: [] });
    const value = atOnce(parseJson(PADDING + json));
    expect(value).toEqual(JSON.parse(json));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  }
});

test('an error in a long text names its place', () => {
  expect(() => atOnce(parseJson(`${PADDING}{"a":1,}`))).toThrow(
    `at position ${PADDING.length + 7}`,
  );
});

test('the sort in steps is the sort', () => {
  const items = fc.array(fc.nat(50), { minLength: 0, maxLength: 3 * STEP_RECORDS, size: 'max' });
  fc.assert(
    fc.property(items, (keys) => {
      const records = keys.map((key, index) => ({ key, index }));
      const compare = (a: { key: number }, b: { key: number }): number => a.key - b.key;
      expect(atOnce(sorted(records, compare))).toEqual(records.toSorted(compare));
    }),
    { numRuns: 40 },
  );
});

const LOG = fixture('x86-2n.dmesg');
const MANY = '[    9.000000] another line\n'.repeat(300_000);

test.each([
  ['a member', `{"log":${JSON.stringify(LOG + MANY)}}\n`],
  [
    'objects in a list',
    `${JSON.stringify((LOG + MANY.slice(0, 2 ** 21)).split('\n').map((msg) => ({ msg })))}\n`,
  ],
  ['a text of an interface', JSON.stringify({ status: 'ok', output: { console: LOG + MANY } })],
])('a log of very many lines in one line of JSON is read: %s', async (_, text) => {
  const expected = parseDescription(LOG);
  let turns = 0;
  let isDone = false;
  const others = (async () => {
    for (; !isDone; turns++) await setImmediate();
  })();
  const read = await readDescription(text);
  isDone = true;
  await others;
  if (!read.ok || !expected.ok) throw new Error('the log is not read');
  expect(read.description.firmware.map.map(({ start }) => start)).toEqual(
    expected.description.firmware.map.map(({ start }) => start),
  );
  expect(turns).toBeGreaterThan(30);
});

test('a signal ends the reading of one long line, with its reason', async () => {
  const reason = new Error('enough');
  const abort = new AbortController();
  const reading = readDescription(`{"log":${JSON.stringify(LOG + MANY)}}\n`, {
    signal: abort.signal,
  });
  await setImmediate();
  abort.abort(reason);
  await expect(reading).rejects.toBe(reason);
});
