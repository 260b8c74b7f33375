/** Time until the first page can be allocated, by memory size; nothing deferred is touched before. */
import type { Samples } from '../../../kit/samples.js';
import { spread } from '../../../kit/statistics.js';
import { printTable } from '../../../kit/table.js';
import { warmUp } from '../../../kit/warm-up.mjs';
import { OURS, collect, fixed, type BenchOptions } from '../bench-options.js';
import { planMachine } from '../support/machines.js';
import { bringUp, type FirstAllocation } from '../support/runs.js';

/** GiB. */
const SIZES = [1, 8, 64, 768, 3072, 12288, 65536];
const PHASES = ['plan', 'map', 'allocator', 'early', 'deferred', 'allocate'] as const;

function boot(gib: number): FirstAllocation {
  const machine = bringUp(() => planMachine(gib, gib >= 768 ? 2 : 1), true);
  machine.allocator.close();
  collect();
  return machine;
}

export async function firstAllocation(
  samples: Samples,
  { quick, json }: BenchOptions,
): Promise<void> {
  const rounds = quick ? 3 : 7;
  const caseOf = (gib: number): string => `first allocation ${gib} GiB`;
  await warmUp(() => 1 / boot(16).totalMs);
  for (let round = 0; round < rounds; round += 1) {
    for (const gib of SIZES) {
      const { totalMs, phases } = boot(gib);
      samples.add(caseOf(gib), OURS, 'time', 'ms', totalMs);
      for (const phase of PHASES) samples.add(caseOf(gib), OURS, phase, 'ms', phases[phase]);
    }
  }
  if (json) return;
  const table = SIZES.map((gib) => {
    const { median, min, max } = spread(samples.values(caseOf(gib), OURS, 'time'));
    const phases = PHASES.map((phase) => samples.median(caseOf(gib), OURS, phase));
    return [`${gib} GiB`, ...[median, min, max, ...phases].map((ms) => fixed(ms))];
  });
  printTable(
    `time to the first allocation, medians of ${rounds}; right: its phases`,
    ['memory', 'ms', 'min', 'max', ...PHASES],
    table,
  );
}
