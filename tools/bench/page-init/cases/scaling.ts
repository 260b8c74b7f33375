/** Two nodes of 384 GiB, as in the published table: deferred part and whole bring-up by thread count. */
import { inTurn, type Samples } from '../../../kit/samples.js';
import { meanAndDeviation, quantile } from '../../../kit/statistics.js';
import { printTable } from '../../../kit/table.js';
import { warmUp } from '../../../kit/warm-up.mjs';
import { OURS, collect, fixed, type BenchOptions } from '../bench-options.js';
import { planMachine } from '../support/machines.js';
import { bringUp, runDeferred } from '../support/runs.js';

const NODES = 2;

interface Run {
  readonly bringUpMs: number;
  readonly deferredMs: number;
  readonly cpuMs: number;
  readonly managedPages: number;
}

async function run(gib: number, threads: number, { pool }: BenchOptions): Promise<Run> {
  const machine = bringUp(() => planMachine(gib, NODES), false);
  const { wallMs, cpuMs } = await runDeferred(machine, threads, pool);
  const managedPages = machine.allocator.zones.reduce(
    (sum, zone) => sum + zone.core.managedPages,
    0,
  );
  machine.allocator.close();
  collect();
  return { bringUpMs: machine.totalMs + wallMs, deferredMs: wallMs, cpuMs, managedPages };
}

export async function scaling(samples: Samples, options: BenchOptions): Promise<void> {
  const { quick, json, threadCounts } = options;
  const gib = quick ? 96 : 768;
  const rounds = quick ? 3 : 9;
  const counts = [0, ...threadCounts];
  const caseOf = (threads: number): string => `${gib} GiB, ${NODES} nodes, ${threads} threads`;
  // On a small machine: code gets warm, memory stays cold.
  for (const threads of counts)
    await warmUp(async () => 1 / (await run(8, threads, options)).bringUpMs);
  let managed = 0;
  for (let round = 0; round < rounds; round += 1) {
    // In turn from another place: what ran before decides how fresh the memory is.
    for (const threads of inTurn(counts, round)) {
      const { bringUpMs, deferredMs, cpuMs, managedPages } = await run(gib, threads, options);
      samples.add(caseOf(threads), OURS, 'deferred init', 'ms', deferredMs);
      samples.add(caseOf(threads), OURS, 'bring-up', 'ms', bringUpMs);
      samples.add(caseOf(threads), OURS, 'deferred init CPU', 'ms', cpuMs);
      managed = managedPages;
    }
  }
  if (json) return;
  const title = `${gib} GiB in ${NODES} nodes, ${managed} pages managed at the end, first touch included, mean of ${rounds}`;
  print(title, samples, caseOf, counts, options.most);
}

function print(
  title: string,
  samples: Samples,
  caseOf: (threads: number) => string,
  counts: readonly number[],
  most: number,
): void {
  const values = (threads: number, metric: string): readonly number[] =>
    samples.values(caseOf(threads), OURS, metric);
  /** Gain over no thread of the pool, mean, deviation. */
  const cells = (threads: number, metric: string): string[] => {
    const { mean, stdev } = meanAndDeviation(values(threads, metric));
    const base = meanAndDeviation(values(0, metric)).mean;
    const gain = threads === 0 ? '--' : `${fixed((100 * (base - mean)) / base)}%`;
    return [gain, fixed(mean), `(${fixed(stdev)})`];
  };
  const table = counts.map((threads) => [
    `${fixed((100 * threads) / most, 0)}% (${threads})`,
    ...cells(threads, 'bring-up'),
    ...cells(threads, 'deferred init'),
    fixed(quantile(values(threads, 'deferred init'), 0)),
    fixed(samples.median(caseOf(threads), OURS, 'deferred init CPU')),
  ]);
  const means = ['speedup', 'bring-up ms', '(stdev)', 'speedup', 'deferred ms', '(stdev)'];
  printTable(title, ['node% (thr)', ...means, 'best ms', 'CPU ms'], table);
}
