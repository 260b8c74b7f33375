/**
 * The curve of a machine that is not at hand: the published machines as a measure of the model, and the machine asked for
 * as a kernel would bring it up, and as this program would on this host.
 */
import { synthesize } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { atOnce, inTurns } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import type { BenchReport, LeftOut, ModelReport, ScalingNumbers } from '../bench-result.js';
import { BootmemError } from '../errors.js';
import { threadLimits } from '../plan/limits/thread-limits.js';
import { benchBoot } from './bench-boot.js';
import type { BenchBootOptions } from './bench-boot.js';
import { deferredPartsSteps } from './deferred-pages.js';
import { fitModel, leaveOut, pointsOf, predictMs } from './model.js';
import { PUBLISHED_MACHINES } from './published.js';
import { threadSteps } from './statistics.js';

/** Measured here: small enough for any host, large enough that threads matter. */
const MEASURED_GIB = 32;
const PAGES_PER_GIB = 2 ** 18;

/**
 * Fits, measures, predicts.
 * @param description  the machine to predict; nothing of it is brought up
 * @param options      how often and how wide to measure the small machine
 * @throws BootmemError ERR_BOOTMEM_USAGE when nothing of the machine is deferred
 */
export async function benchModel(
  description: MachineDescription,
  options: BenchBootOptions,
): Promise<ModelReport> {
  const { profile, signal } = options;
  const { parts } = await inTurns(deferredPartsSteps(description, profile), signal);
  if (parts.length === 0) {
    throw new BootmemError(
      'ERR_BOOTMEM_USAGE',
      'nothing of this machine is deferred, so there is nothing to predict',
    );
  }
  const small = synthesize({ memory: MEASURED_GIB * 2 ** 30 });
  const measured = await benchBoot(small, { ...options, source: 'synthetic' });
  return (await inTurns(predictMachineSteps(description, profile, measured), signal))!;
}

/**
 * Predicts from what was measured.
 * @param description  the machine to predict
 * @param profile      as `bootMemory` takes it
 * @param measured     of a machine with one node
 * @returns undefined when nothing of the machine is deferred
 */
export function predictMachine(
  description: MachineDescription,
  profile: string,
  measured: BenchReport,
): ModelReport | undefined {
  return atOnce(predictMachineSteps(description, profile, measured));
}

/** The same, to be interrupted. */
export function* predictMachineSteps(
  description: MachineDescription,
  profile: string,
  measured: BenchReport,
): Steps<ModelReport | undefined> {
  const { plan, parts } = yield* deferredPartsSteps(description, profile);
  const slowest = parts.toSorted((a, b) => b.pages - a.pages)[0];
  if (slowest === undefined) return undefined;
  const { pages } = slowest;
  const kernel = fitModel(PUBLISHED_MACHINES.flatMap(pointsOf));
  yield;
  const leftOut: LeftOut[] = [];
  for (const machine of PUBLISHED_MACHINES) {
    leftOut.push(leaveOut(machine, PUBLISHED_MACHINES));
    yield;
  }
  const here = fitHere(measured);
  const cpus = threadLimits(plan, 'architecture').of(slowest.nid);
  const published = PUBLISHED_MACHINES.find(
    (one) =>
      one.nodes === parts.length &&
      one.cpusPerNode === cpus &&
      Math.abs(pointsOf(one)[0]!.pages - pages) < PAGES_PER_GIB,
  );
  return {
    schema: 'bootmem/bench-model',
    version: 1,
    kernel,
    here,
    measured,
    leftOut,
    nodes: parts.length,
    cpusPerNode: cpus,
    pagesPerNode: pages,
    rows: threadSteps(cpus).map(({ percent, threads }) => {
      const row = published?.rows.find((one) => one.threads === threads);
      return {
        percent,
        threads,
        kernelMs: predictMs(kernel, { pages, threads, cpus }),
        hereMs: predictMs(here, { pages, threads, cpus: 1 }),
        ...(row === undefined ? {} : { publishedMs: row.definitMs }),
      };
    }),
  };
}

/** This host's numbers: what a thread and a chunk cost is seen in the chunks, a page's cost is fitted. */
function fitHere(measured: BenchReport): ScalingNumbers {
  const widest = measured.rows.at(-1)!;
  const points = measured.rows.map((row) => ({
    pages: measured.pages,
    threads: Math.max(1, row.threads),
    // The memory's speed is measured as it is.
    cpus: 1,
    // The best of the rounds: a busy host makes a thread slower, never faster.
    ms: row.definitMs.min,
  }));
  return fitModel(points, {
    startMs: widest.helperStartMs?.min ?? 0,
    chunkMs: widest.chunkMs?.min ?? 0,
  });
}
