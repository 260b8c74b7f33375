/** Jobs a second and CPU time a job, for trivial, structured-clone, 10 µs and 100 µs jobs, by jobs in flight. */
import { measure } from '../measure.js';
import { PEERS, type Subject } from '../peers.js';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { bootmem, bootmemCallbacks, inline, type TaskValue } from '../subjects.js';
import { calibrate } from '../tasks.mjs';
import type { BenchOptions } from '../bench-options.js';

interface Load {
  readonly name: string;
  readonly value: TaskValue;
  readonly fn: string;
  readonly ours: unknown;
  readonly shared?: unknown;
  readonly inFlight: readonly number[];
}

/** All throughput cases, every subject once a round. */
export async function throughput(samples: Samples, options: BenchOptions): Promise<void> {
  const ten = calibrate(10);
  const hundred = 10 * ten;
  const object = { kind: 'clone', count: 1, name: 'one small object', list: [1, 2, 3] };
  const loads: Load[] = [
    { name: 'trivial job', value: 41, ours: 41, fn: 'increment', inFlight: [1, 64, 1024] },
    {
      name: 'object by structured clone',
      value: object,
      ours: object,
      fn: 'clone',
      inFlight: [64],
    },
    {
      name: '10 us job',
      value: { kind: 'burn', steps: ten },
      ours: 0,
      fn: 'spin',
      shared: { steps: ten },
      inFlight: [64],
    },
    {
      name: '100 us job',
      value: { kind: 'burn', steps: hundred },
      ours: 0,
      fn: 'spin',
      shared: { steps: hundred },
      inFlight: [64],
    },
  ];
  for (let round = 0; round < options.rounds; round += 1) {
    for (const load of loads) {
      for (const inFlight of load.inFlight) {
        const own = bootmem(load.fn, inFlight, load.shared);
        const plain = load.shared === undefined && load.fn === 'increment';
        const callbacks = plain ? [bootmemCallbacks(load.fn, inFlight)] : [];
        const testCase = `${load.name}, ${inFlight} in flight, ${options.threads} threads`;
        if (!testCase.includes(options.only)) continue;
        const subjects: Subject[] = [own, ...callbacks, inline, ...PEERS];
        for (const subject of inTurn(subjects, round)) {
          const open = await subject.open(options.threads);
          const value = (subject.name.startsWith('bootmem') ? load.ours : load.value) as TaskValue;
          const { rate, cpu } = await measure(open, value, inFlight, options.sampleMs);
          await open.close();
          samples.add(testCase, subject.name, 'rate', 'jobs/s', rate);
          samples.add(testCase, subject.name, 'CPU', 'us/job', cpu);
        }
      }
    }
  }
}
