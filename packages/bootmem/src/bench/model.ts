/**
 * A model of deferred initialisation by threads a node:
 *
 *     ms(n) = pages * hypot(perPage / n, bandwidth / root of cpus) + start + chunks * chunk
 *
 *     pages      deferred ones of the slowest node
 *     perPage    what a page costs one thread; divided by the threads
 *     bandwidth  what a page costs the node's memory, however many threads ask for it; machines with more processors have
 *                faster memory, but not as many times faster. hypot: the larger of the two counts, and bends into the other
 *     start      until the helpers are at it; nothing where nobody helps
 *     chunk      taking a chunk: one without helpers, else four each
 *
 * Fitted to published rows by their logarithms, so that a machine of 20 ms counts as one of 2 s. A machine that was not
 * fitted is predicted with nothing of its own but pages and processors: honest, and off by as much as its processors
 * differ.
 *
 * What the six machines tell of the terms: the number for `start` comes out as nothing. A cost for each helper (1.7 ms)
 * fits the machines that it is fitted to better and those left out no better, and makes 52 threads slower than 26, which no
 * machine is. Each thread has four chunks, whatever their number, so a chunk's cost is part of a thread's. Here both are
 * measured. The form was chosen among some twenty with all six in view; what is left out for an error is the machine's part
 * in the numbers.
 */
import type { LeftOut, PublishedMachine, ScalingNumbers } from '../bench-result.js';

/** What is predicted. */
export interface ScalingCase {
  /** Deferred pages of the slowest node. */
  readonly pages: number;
  /** Threads a node, from 1. */
  readonly threads: number;
  /** Processors of the node. */
  readonly cpus: number;
}

/** A point that a model is fitted to. */
export interface ScalingPoint extends ScalingCase {
  readonly ms: number;
}

const PAGES_PER_GIB = 2 ** 18;
/** Memory below 4 GiB belongs to lower zones, and the first section of the highest: up before anything is deferred. */
const EARLY_GIB = 3 + 1 / 8;
/** The rest of memory holds the descriptors themselves: 64 bytes a page. */
const FREE_SHARE = 63 / 64;
/** Chunks of each participant, where there is more than one. */
const CHUNKS_EACH = 4;

/**
 * Predicted milliseconds.
 * @param model  fitted or measured
 * @param of     what to predict
 */
export function predictMs(model: ScalingNumbers, { pages, threads, cpus }: ScalingCase): number {
  const { perPage, bandwidth, startMs, chunkMs } = model;
  const whole = pages * Math.hypot(perPage / threads, bandwidth / Math.sqrt(cpus));
  return threads === 1 ? whole + chunkMs : whole + startMs + CHUNKS_EACH * chunkMs;
}

/** The rows of a published machine as points; "without the series" is one thread a node. */
export function pointsOf(machine: PublishedMachine): ScalingPoint[] {
  const { nodes, gibPerNode, cpusPerNode: cpus, rows } = machine;
  // Of several nodes the slowest is one without low memory.
  const gib = (gibPerNode - (nodes === 1 ? EARLY_GIB : 0)) * FREE_SHARE;
  const pages = Math.round(gib * PAGES_PER_GIB);
  return rows.map(({ threads, definitMs: ms }) => ({
    pages,
    threads: Math.max(1, threads),
    cpus,
    ms,
  }));
}

/** Mean of the squared logarithms of predicted over measured. */
function loss(model: ScalingNumbers, points: readonly ScalingPoint[]): number {
  const squares = points.map((point) => Math.log(predictMs(model, point) / point.ms) ** 2);
  return squares.reduce((sum, square) => sum + square, 0) / points.length;
}

/**
 * Fits a model: each number in turn is moved by a factor as long as that helps, with ever smaller factors.
 * @param points  at least one
 * @param fixed   numbers that are known, and stay
 */
export function fitModel(
  points: readonly ScalingPoint[],
  fixed: Partial<ScalingNumbers> = {},
): ScalingNumbers {
  let model: ScalingNumbers = {
    perPage: 2e-5,
    bandwidth: 1e-5,
    startMs: 1,
    chunkMs: 0,
    ...fixed,
  };
  const free = (['perPage', 'bandwidth', 'startMs'] as const).filter(
    (name) => fixed[name] === undefined,
  );
  let best = loss(model, points);
  for (let factor = 2; factor > 1.0005; factor = Math.sqrt(factor)) {
    for (let moved = true; moved;) {
      moved = false;
      for (const name of free) {
        for (const by of [factor, 1 / factor]) {
          const next = { ...model, [name]: model[name] * by };
          const value = loss(next, points);
          if (!(value < best)) continue;
          best = value;
          model = next;
          moved = true;
        }
      }
    }
  }
  return model;
}

const errorOf = (model: ScalingNumbers, points: readonly ScalingPoint[]): number => {
  const logs = points.map((point) => Math.abs(Math.log(predictMs(model, point) / point.ms)));
  return 100 * (Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length) - 1);
};

/** Predicts a machine by a model fitted to all others. */
export function leaveOut(left: PublishedMachine, machines: readonly PublishedMachine[]): LeftOut {
  const own = pointsOf(left);
  const model = fitModel(machines.filter((one) => one !== left).flatMap(pointsOf));
  const base = own[0]!;
  const known = { ...model, perPage: (model.perPage * base.ms) / predictMs(model, base) };
  return {
    machine: left.machine,
    rows: own.map((point) => ({
      threads: point.threads,
      ms: point.ms,
      predictedMs: predictMs(model, point),
    })),
    errorPercent: errorOf(model, own),
    knownBaseErrorPercent: errorOf(known, own),
  };
}
