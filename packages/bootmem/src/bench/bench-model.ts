/**
 * The curve of a machine that is not at hand: the published machines as a measure of the model, and the machine asked for
 * as a kernel would bring it up, and as this program would on this host.
 */
import { synthesize } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { planLayout } from '../plan/layout-plan.js';
import { threadLimits } from '../plan/thread-limits.js';
import type { ModelReport } from '../result.js';
import { benchBoot } from './bench-boot.js';
import type { BenchBootOptions } from './bench-boot.js';
import { fitModel, leaveOneOut, pointsOf, predictMs } from './model.js';
import { PUBLISHED_MACHINES } from './published.js';
import { threadSteps } from './statistics.js';

/** Measured here: small enough for any host, large enough that threads matter. */
const MEASURED_GIB = 32;
const PAGES_PER_GIB = 2 ** 18;

/**
 * Fits, measures, predicts.
 * @param description  the machine to predict; nothing of it is brought up
 * @param options      how often and how wide to measure the small machine
 */
export async function benchModel(
  description: MachineDescription,
  options: BenchBootOptions,
): Promise<ModelReport> {
  const kernel = fitModel(PUBLISHED_MACHINES.flatMap(pointsOf));
  const small = synthesize({ memory: MEASURED_GIB * 2 ** 30 });
  const measured = await benchBoot(small, { ...options, source: 'synthetic' });
  const points = measured.rows.map((row) => ({
    pages: MEASURED_GIB * PAGES_PER_GIB,
    threads: Math.max(1, row.threads),
    // The best of the rounds: a busy host makes a thread slower, never faster.
    ms: row.definitMs.min,
  }));
  // Threads are up before the clock starts; their chunks are in the cost of a page.
  const here = fitModel(points, { startMs: 0, sharpness: kernel.sharpness });
  const plan = planLayout(description, options.profile);
  const nodes = plan.layout.nodes.filter((node) => node.presentPages > 0);
  const slowest = nodes.reduce((most, node) =>
    node.presentPages > most.presentPages ? node : most,
  );
  const cpus = threadLimits(plan, 'architecture').of(slowest.nid);
  const published = PUBLISHED_MACHINES.find(
    (one) =>
      one.nodes === nodes.length &&
      one.cpusPerNode === cpus &&
      Math.abs(one.gibPerNode * PAGES_PER_GIB - slowest.presentPages) < PAGES_PER_GIB,
  );
  return {
    kernel,
    here,
    measured,
    leftOut: leaveOneOut(PUBLISHED_MACHINES),
    nodes: nodes.length,
    cpusPerNode: cpus,
    pagesPerNode: slowest.presentPages,
    rows: threadSteps(cpus).map(({ percent, threads }) => {
      const row = published?.rows.find((one) => one.threads === threads);
      return {
        percent,
        threads,
        kernelMs: predictMs(kernel, slowest.presentPages, threads),
        hereMs: predictMs(here, slowest.presentPages, threads),
        ...(row === undefined ? {} : { publishedMs: row.definitMs }),
      };
    }),
  };
}
