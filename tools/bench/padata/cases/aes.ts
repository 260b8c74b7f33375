/** AES-256-GCM over 64 KiB buffers, results in order, 8 in flight. */
import { orderedMap } from '@bootmem/padata';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { stopwatch } from '../../../kit/stopwatch.js';
import { warmUp } from '../../../kit/warm-up.mjs';
import type { BenchOptions } from '../bench-options.js';
import { PEERS, type Subject } from '../peers.js';
import { jobsModule, openPool } from '../subjects.js';
import { encrypt } from '../threads/tasks.mjs';

const SIZE = 64 * 1024;
const TAG = 16;
const IN_FLIGHT = 8;
/** Buffers of one slice of the warm-up. */
const SLICE = 512;
const DATA = new Uint8Array(SIZE).fill(97);

/** A subject that is ready: encrypts so many buffers and resolves to the bytes that came out. */
interface Sealer {
  seal(count: number): Promise<number>;
  close(): Promise<void>;
}

interface SealingSubject {
  readonly name: string;
  open(threads: number): Promise<Sealer>;
}

const inline: SealingSubject = {
  name: 'inline, no pool',
  open: () =>
    Promise.resolve({
      seal: (count) => {
        let bytes = 0;
        for (let number = 0; number < count; number += 1)
          bytes += encrypt({ number, data: DATA }).length;
        return Promise.resolve(bytes);
      },
      close: () => Promise.resolve(),
    }),
};

const bootmem: SealingSubject = {
  name: 'bootmem',
  async open(threads) {
    const pool = await openPool(threads);
    const settings = {
      window: IN_FLIGHT,
      slotBytes: 2 * SIZE + 1024,
      outputBytes: (input: number) => input + TAG,
      bytes: 'view',
    } as const;
    const fn = { module: jobsModule, name: 'seal' };
    return {
      async seal(count) {
        function* source(): Generator<Uint8Array> {
          for (let i = 0; i < count; i += 1) yield DATA;
        }
        let bytes = 0;
        let number = 0;
        for await (const sealed of orderedMap(pool, source(), fn, settings)) {
          const result = sealed as Uint8Array;
          // Each packet has its own nonce, so a swapped pair shows.
          if (number % 97 === 0 && !encrypt({ number, data: DATA }).equals(result))
            throw new Error(`packet ${number} is wrong`);
          bytes += result.length;
          number += 1;
        }
        return bytes;
      },
      close: () => pool.close(),
    };
  },
};

const peer = (subject: Subject): SealingSubject => ({
  name: subject.name,
  async open(threads) {
    const pool = await subject.open(threads);
    return {
      async seal(count) {
        const queue: Promise<unknown>[] = [];
        let bytes = 0;
        for (let number = 0; number < count; number += 1) {
          if (queue.length === IN_FLIGHT) bytes += ((await queue.shift()) as Uint8Array).length;
          queue.push(pool.run({ kind: 'seal', number, data: DATA }));
        }
        for (const result of queue) bytes += ((await result) as Uint8Array).length;
        return bytes;
      },
      close: () => pool.close(),
    };
  },
});

export async function aes(samples: Samples, options: BenchOptions): Promise<void> {
  const count = Math.max(64, Math.round(options.sampleMs * 20));
  const testCase = `AES-256-GCM of 64 KiB buffers in order, ${IN_FLIGHT} in flight`;
  const subjects = [inline, bootmem, ...PEERS.map(peer)];
  for (let round = 0; round < options.rounds; round += 1) {
    for (const subject of inTurn(subjects, round)) {
      const sealer = await subject.open(options.threads);
      await warmUp(async () => {
        const start = performance.now();
        await sealer.seal(SLICE);
        return SLICE / (performance.now() - start);
      });
      const times = stopwatch();
      const bytes = await sealer.seal(count);
      const { wallMs, cpuMs } = times();
      await sealer.close();
      if (bytes !== count * (SIZE + TAG)) throw new Error(`${subject.name}: wrong size`);
      samples.add(
        testCase,
        subject.name,
        'rate',
        'MiB/s',
        (count * SIZE) / 2 ** 20 / (wallMs / 1000),
      );
      samples.add(testCase, subject.name, 'CPU', 'us/buffer', (cpuMs * 1000) / count);
    }
  }
}
