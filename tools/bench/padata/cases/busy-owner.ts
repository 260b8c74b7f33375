/** 200 jobs queued, then the submitting thread is busy for half a second: how many were done meanwhile? */
import { PEERS, type Subject } from '../peers.js';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { warm } from '../measure.js';
import { bootmem, type TaskValue } from '../subjects.js';
import { burn, calibrate } from '../threads/tasks.mjs';
import type { BenchOptions } from '../bench-options.js';

const JOBS = 200;
/** Of the warm-up. */
const IN_FLIGHT = 64;

export async function busyOwner(samples: Samples, options: BenchOptions): Promise<void> {
  const steps = calibrate(100);
  for (let round = 0; round < options.rounds; round += 1) {
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const own = bootmem('countMe', 256, { steps, counter });
    const subjects: Subject[] = [own, ...PEERS];
    for (const subject of inTurn(subjects, round)) {
      const open = await subject.open(options.threads);
      const value: TaskValue = subject === own ? 0 : { kind: 'count', steps, counter };
      await warm(open, value, IN_FLIGHT);
      Atomics.store(counter, 0, 0);
      const jobs = Array.from({ length: JOBS }, () => open.run(value));
      // Whatever a pool defers to a microtask may happen; its event loop then stands still.
      await Promise.resolve();
      await Promise.resolve();
      const until = performance.now() + 500;
      while (performance.now() < until) burn(10_000);
      const meanwhile = Atomics.load(counter, 0);
      await Promise.all(jobs);
      await open.close();
      samples.add(
        `owner busy for 500 ms, ${JOBS} jobs queued`,
        subject.name,
        'done meanwhile',
        'jobs',
        meanwhile,
      );
    }
  }
}
