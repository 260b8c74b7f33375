/**
 * A value of each kind and size goes in and comes back: jobs a second over sizes, beside the pools. With `--quick` every fourth
 * power of two.
 */
import { measure } from '../measure.js';
import { PEERS, type Subject } from '../peers.js';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { bootmem, type TaskValue } from '../subjects.js';
import type { BenchOptions } from '../bench-options.js';

const MOST = 1 << 24;
/** Jobs in flight; fewer where their values would take more bytes than this. */
const IN_FLIGHT = 64;
const BYTES_IN_FLIGHT = 1 << 26;
const LEAST_IN_FLIGHT = 4;
/** Bytes of one row of plain data, about. */
const ROW = 32;

const KINDS: Readonly<Record<string, (bytes: number) => unknown>> = {
  'text, one byte a unit': (bytes) => 'y'.repeat(bytes),
  'text, two bytes a unit': (bytes) => '\u4e2d'.repeat(bytes >> 1),
  Uint8Array: (bytes) => new Uint8Array(bytes),
  'plain data': (bytes) =>
    Array.from({ length: Math.ceil(bytes / ROW) }, (_, id) => ({ id, name: `row ${id}`, at: 0.5 })),
  Float64Array: (bytes) => new Float64Array(bytes >> 3),
  Map: (bytes) => new Map(Array.from({ length: bytes >> 4 }, (_, i) => [i, i])),
};
const SMALL: Readonly<Record<string, unknown>> = {
  'object of three numbers': { a: 1, b: 2, c: 3 },
  'object of eight fields': {
    id: 7,
    name: 'someone',
    tags: ['a', 'b', 'c'],
    numbers: [1, 2, 3, 4],
    nested: { x: 1, y: 2.5, z: 'q' },
    text: 'x'.repeat(100),
    isNew: true,
    parent: null,
  },
  Date: new Date(0),
  bigint: 12_345_678_901_234_567_890n,
};

/** Each pool at its best setting for many small tasks, and ours at its defaults. */
const SUBJECTS: readonly Subject[] = [
  bootmem('same', IN_FLIGHT),
  ...PEERS.filter(({ name }) => name === 'piscina, 64 per worker' || name.startsWith('tinypool')),
];

export async function sizes(samples: Samples, options: BenchOptions): Promise<void> {
  const values = Object.entries(SMALL).map(([name, value]) => ({ name, value, bytes: 64 }));
  for (const [kind, make] of Object.entries(KINDS)) {
    values.push({ name: `${kind}, 0 bytes`, value: make(0), bytes: 0 });
    for (let bytes = 16; bytes <= MOST; bytes *= options.quick ? 16 : 2) {
      values.push({ name: `${kind}, ${bytes} bytes`, value: make(bytes), bytes });
    }
  }
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { name, value, bytes } of values) {
      if (!name.includes(options.only)) continue;
      const room = Math.floor(BYTES_IN_FLIGHT / Math.max(1, bytes));
      const inFlight = Math.max(LEAST_IN_FLIGHT, Math.min(IN_FLIGHT, room));
      for (const subject of inTurn(SUBJECTS, round)) {
        const open = await subject.open(options.threads);
        const { rate, cpu } = await measure(open, value as TaskValue, inFlight, options.sampleMs);
        await open.close();
        const testCase = `${name}, there and back, ${inFlight} in flight`;
        samples.add(testCase, subject.name, 'rate', 'jobs/s', rate);
        samples.add(testCase, subject.name, 'CPU', 'us/job', cpu);
      }
    }
  }
}
