/** 100 µs jobs on 1 … N threads: jobs a second and how many times one thread's. */
import { availableParallelism } from 'node:os';
import type { Samples } from '../../../kit/samples.js';
import { warm } from '../measure.js';
import { bootmem } from '../subjects.js';
import { calibrate } from '../threads/tasks.mjs';
import type { BenchOptions } from '../bench-options.js';

export async function scaling(samples: Samples, options: BenchOptions): Promise<void> {
  const steps = calibrate(100);
  const most = Math.max(options.threads, availableParallelism());
  const counts: number[] = [];
  for (let threads = 1; threads < most; threads *= 2) counts.push(threads);
  counts.push(most);
  for (let round = 0; round < options.rounds; round += 1) {
    let single = 0;
    for (const threads of counts) {
      const open = await bootmem('spin', 1024, { steps }).open(threads);
      await warm(open, 0, 64 * threads);
      const jobs = Math.round(options.sampleMs * 8 * threads);
      const start = performance.now();
      let sent = 0;
      await Promise.all(
        Array.from({ length: 64 * threads }, async () => {
          while (sent < jobs) {
            sent += 1;
            await open.run(0);
          }
        }),
      );
      const rate = (jobs / (performance.now() - start)) * 1000;
      await open.close();
      single ||= rate;
      const subject = `${threads} thread${threads === 1 ? '' : 's'}`;
      samples.add('scaling of 100 us jobs', subject, 'rate', 'jobs/s', rate);
      samples.add('scaling of 100 us jobs', subject, 'speed-up', 'x', rate / single);
    }
  }
}
