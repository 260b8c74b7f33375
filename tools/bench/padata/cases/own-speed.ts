/**
 * Does a job's own loop run as fast in a pool as by itself? 100 µs of a loop on one thread: its CPU time, everything around it
 * included, beside the same call on the calling thread.
 */
import { inTurn, type Samples } from '../../../kit/samples.js';
import { bareThreads } from '../bare.js';
import type { BenchOptions } from '../bench-options.js';
import { sampleOf, type Load } from '../loads.js';
import { PEERS } from '../peers.js';
import { bootmem, bootmemRequests, inline } from '../subjects.js';
import { calibrate } from '../threads/tasks.mjs';

const JOB_US = 100;
const IN_FLIGHT = 64;
const SUBJECTS = [
  bootmem('burn', IN_FLIGHT),
  bootmemRequests('burn'),
  inline,
  bareThreads(2),
  ...PEERS,
];

export async function ownSpeed(samples: Samples, options: BenchOptions): Promise<void> {
  for (let round = 0; round < options.rounds; round += 1) {
    const steps = calibrate(JOB_US);
    const name = `${JOB_US} us of a loop, ${IN_FLIGHT} in flight, 1 thread`;
    const load: Load = {
      name,
      fn: 'burn',
      ours: steps,
      task: 'task',
      theirs: { kind: 'burn', steps },
    };
    for (const subject of inTurn(SUBJECTS, round)) {
      const { cpu } = await sampleOf(subject, load, IN_FLIGHT, { ...options, threads: 1 });
      samples.add(name, subject.name, 'CPU', 'us/job', cpu);
    }
  }
}
