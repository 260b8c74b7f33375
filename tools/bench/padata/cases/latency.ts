/** Time from submission to result at half of what two threads can do: 100 µs jobs at a steady pace. */
import { PEERS, type Subject } from '../peers.js';
import type { Samples } from '../../kit/rows.js';
import { bootmem, type TaskValue } from '../subjects.js';
import { calibrate } from '../tasks.mjs';
import type { BenchOptions } from '../padata.bench.js';

export async function latency(samples: Samples, options: BenchOptions): Promise<void> {
  const steps = calibrate(100);
  // Half of the capacity of the threads, at most half of what the machine's processors can give.
  const perMillisecond = Math.max(1, Math.round(options.threads * 10 * 0.5 * 0.5));
  for (let round = 0; round < options.rounds; round += 1) {
    const own = bootmem('spin', 256, { steps });
    const subjects: Subject[] = [own, ...PEERS];
    for (let step = 0; step < subjects.length; step += 1) {
      const subject = subjects[(step + round) % subjects.length]!;
      const open = await subject.open(options.threads);
      const value: TaskValue = subject === own ? 0 : { kind: 'burn', steps };
      await open.run(value);
      const times: number[] = [];
      const pending: Promise<unknown>[] = [];
      const total = Math.round(options.sampleMs * perMillisecond);
      const start = performance.now();
      for (let sent = 0; sent < total;) {
        const due = Math.min(total, Math.floor((performance.now() - start) * perMillisecond));
        for (; sent < due; sent += 1) {
          const at = performance.now();
          pending.push(
            open.run(value).then(() => {
              times.push(performance.now() - at);
            }),
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await Promise.all(pending);
      await open.close();
      times.sort((a, b) => a - b);
      const testCase = `latency of 100 us jobs at half load (${perMillisecond * 1000} jobs/s)`;
      samples.add(testCase, subject.name, 'p50', 'us', 1000 * times[times.length >> 1]!);
      samples.add(
        testCase,
        subject.name,
        'p99',
        'us',
        1000 * times[Math.floor(times.length * 0.99)]!,
      );
    }
  }
}
