/** AES-256-GCM over 64 KiB buffers, results in order, 8 in flight. */
import { orderedMap } from '@bootmem/padata';
import { PEERS } from '../peers.js';
import type { Samples } from '../../kit/rows.js';
import { jobsModule, openPool } from '../subjects.js';
import { encrypt } from '../tasks.mjs';
import type { BenchOptions } from '../padata.bench.js';

const SIZE = 64 * 1024;
const TAG = 16;
const IN_FLIGHT = 8;

export async function aes(samples: Samples, options: BenchOptions): Promise<void> {
  const data = new Uint8Array(SIZE).fill(97);
  const count = Math.max(64, Math.round(options.sampleMs * 20));
  // Until compiled code runs everywhere the compiler costs more than a buffer does, in each subject's threads.
  const warmUp = count;
  const testCase = `AES-256-GCM of 64 KiB buffers in order, ${IN_FLIGHT} in flight`;
  const report = (subject: string, startedAt: number, cpuBefore: NodeJS.CpuUsage): void => {
    const cpu = process.cpuUsage(cpuBefore);
    const seconds = (performance.now() - startedAt) / 1000;
    samples.add(testCase, subject, 'rate', 'MiB/s', (count * SIZE) / 2 ** 20 / seconds);
    samples.add(testCase, subject, 'CPU', 'us/buffer', (cpu.user + cpu.system) / count);
  };
  for (let round = 0; round < options.rounds; round += 1) {
    {
      let bytes = 0;
      for (let number = 0; number < warmUp; number += 1) encrypt({ number, data });
      const cpu = process.cpuUsage();
      const start = performance.now();
      for (let number = 0; number < count; number += 1) bytes += encrypt({ number, data }).length;
      report('inline, no pool', start, cpu);
      if (bytes !== count * (SIZE + TAG)) throw new Error('inline: wrong size');
    }
    {
      const pool = await openPool(options.threads);
      const source = function* (n: number): Generator<Uint8Array> {
        for (let i = 0; i < n; i += 1) yield data;
      };
      const settings = {
        window: IN_FLIGHT,
        slotBytes: 2 * SIZE + 1024,
        outputBytes: (input: number) => input + TAG,
        bytes: 'view',
      } as const;
      const fn = { module: jobsModule, name: 'seal' };
      let warm = 0;
      for await (const sealed of orderedMap(pool, source(warmUp), fn, settings))
        warm += (sealed as Uint8Array).length;
      if (warm !== warmUp * (SIZE + TAG)) throw new Error('warm-up: wrong size');
      let bytes = 0;
      let seq = 0;
      const cpu = process.cpuUsage();
      const start = performance.now();
      for await (const sealed of orderedMap(pool, source(count), fn, settings)) {
        const result = sealed as Uint8Array;
        // Each packet has its own nonce, so a swapped pair shows.
        if (seq % 97 === 0 && !encrypt({ number: seq, data }).equals(result))
          throw new Error(`packet ${seq} is wrong`);
        bytes += result.length;
        seq += 1;
      }
      report('bootmem', start, cpu);
      if (bytes !== count * (SIZE + TAG)) throw new Error('bootmem: wrong size');
      await pool.close();
    }
    for (const peer of PEERS) {
      const open = await peer.open(options.threads);
      for (let number = 0; number < warmUp; number += IN_FLIGHT) {
        await Promise.all(
          Array.from({ length: IN_FLIGHT }, () => open.run({ kind: 'seal', number, data })),
        );
      }
      const cpu = process.cpuUsage();
      const start = performance.now();
      const queue: Promise<unknown>[] = [];
      let bytes = 0;
      for (let number = 0; number < count; number += 1) {
        if (queue.length === IN_FLIGHT) bytes += ((await queue.shift()) as Uint8Array).length;
        queue.push(open.run({ kind: 'seal', number, data }));
      }
      for (const result of queue) bytes += ((await result) as Uint8Array).length;
      report(peer.name, start, cpu);
      if (bytes !== count * (SIZE + TAG)) throw new Error(`${peer.name}: wrong size`);
      await open.close();
    }
  }
}
