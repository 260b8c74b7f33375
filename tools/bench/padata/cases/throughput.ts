/** Jobs a second and CPU time a job, for trivial, structured-clone, 10 µs and 100 µs jobs, by jobs in flight. */
import { inTurn, type Samples } from '../../../kit/samples.js';
import type { BenchOptions } from '../bench-options.js';
import { CLONED, TRIVIAL, ownSubject, sampleOf, spinning } from '../loads.js';
import { PEERS, type Subject } from '../peers.js';
import { bootmemCallbacks, inline } from '../subjects.js';
import { calibrate } from '../threads/tasks.mjs';

/** All throughput cases, every subject once a round. */
export async function throughput(samples: Samples, options: BenchOptions): Promise<void> {
  const loads = [
    ...[1, 64, 1024].map((inFlight) => ({ load: TRIVIAL, inFlight })),
    { load: CLONED, inFlight: 64 },
    ...[10, 100].map((us) => ({ load: spinning(us, calibrate(us)), inFlight: 64 })),
  ];
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { load, inFlight } of loads) {
      const testCase = `${load.name}, ${inFlight} in flight, ${options.threads} threads`;
      if (!testCase.includes(options.only)) continue;
      const callbacks = load === TRIVIAL ? [bootmemCallbacks(load.fn, inFlight)] : [];
      const subjects: Subject[] = [ownSubject(load, inFlight), ...callbacks, inline, ...PEERS];
      for (const subject of inTurn(subjects, round)) {
        const { rate, cpu } = await sampleOf(subject, load, inFlight, options);
        samples.add(testCase, subject.name, 'rate', 'jobs/s', rate);
        samples.add(testCase, subject.name, 'CPU', 'us/job', cpu);
      }
    }
  }
}
