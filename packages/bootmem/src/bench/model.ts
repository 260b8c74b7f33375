/**
 * A model of deferred initialisation by threads a node:
 *
 *     ms(n) = start + pages of the slowest node * ((perPage / n)^p + bandwidth^p)^(1/p)
 *
 *     perPage    what a page costs one thread; divided by the threads
 *     bandwidth  what a page costs the node's memory, however many threads ask for it
 *     p          how sharply the one takes over from the other
 *     start      starting threads and handing out chunks, once
 *
 * Fitted to published rows by their logarithms, so that a machine of 20 ms counts as one of 2 s. A machine that was not
 * fitted is predicted with nothing of its own but its pages: honest, and off by as much as its processors differ.
 */
import type { PublishedMachine } from '../result.js';

/** Milliseconds a page, except for `sharpness`; `startMs` is once. */
export interface ScalingModel {
  readonly perPage: number;
  readonly bandwidth: number;
  readonly sharpness: number;
  readonly startMs: number;
}

/** A point that a model is fitted to. */
export interface ScalingPoint {
  /** Of the slowest node. */
  readonly pages: number;
  /** Threads a node, from 1. */
  readonly threads: number;
  readonly ms: number;
}

const PAGES_PER_GIB = 2 ** 18;

/**
 * Predicted milliseconds.
 * @param model    fitted or measured
 * @param pages    of the slowest node
 * @param threads  a node, from 1
 */
export function predictMs(model: ScalingModel, pages: number, threads: number): number {
  const { perPage, bandwidth, sharpness, startMs } = model;
  const powers = (perPage / threads) ** sharpness + bandwidth ** sharpness;
  return startMs + pages * powers ** (1 / sharpness);
}

/** The rows of a published machine as points; "without the series" is one thread a node. */
export function pointsOf({ gibPerNode, rows }: PublishedMachine): ScalingPoint[] {
  return rows.map(({ threads, definitMs }) => ({
    pages: gibPerNode * PAGES_PER_GIB,
    threads: Math.max(1, threads),
    ms: definitMs,
  }));
}

/** Mean of the squared logarithms of predicted over measured. */
function loss(model: ScalingModel, points: readonly ScalingPoint[]): number {
  const squares = points.map(
    ({ pages, threads, ms }) => Math.log(predictMs(model, pages, threads) / ms) ** 2,
  );
  return squares.reduce((sum, square) => sum + square, 0) / points.length;
}

/**
 * Fits a model: each number in turn is moved by a factor as long as that helps, with ever smaller factors.
 * @param points  at least one
 * @param fixed   numbers that are known, and stay
 */
export function fitModel(
  points: readonly ScalingPoint[],
  fixed: Partial<ScalingModel> = {},
): ScalingModel {
  let model: ScalingModel = {
    perPage: 2e-5,
    bandwidth: 2e-6,
    sharpness: 1.5,
    startMs: 2,
    ...fixed,
  };
  const free = (['perPage', 'bandwidth', 'sharpness', 'startMs'] as const).filter(
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

/** How far a prediction of a machine is from its rows. */
export interface LeftOut {
  readonly machine: string;
  readonly rows: readonly {
    readonly threads: number;
    readonly ms: number;
    readonly predictedMs: number;
  }[];
  /** Typical factor between predicted and measured, as percent over 1: exp of the mean absolute logarithm. */
  readonly errorPercent: number;
  /** The same when its row of one thread is known and sets the cost of a page. */
  readonly knownBaseErrorPercent: number;
}

const errorOf = (model: ScalingModel, points: readonly ScalingPoint[]): number => {
  const logs = points.map(({ pages, threads, ms }) =>
    Math.abs(Math.log(predictMs(model, pages, threads) / ms)),
  );
  return 100 * (Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length) - 1);
};

/** Predicts each machine by a model fitted to all others. */
export function leaveOneOut(machines: readonly PublishedMachine[]): LeftOut[] {
  return machines.map((left) => {
    const own = pointsOf(left);
    const model = fitModel(machines.filter((one) => one !== left).flatMap(pointsOf));
    const base = own[0]!;
    const scale = base.ms / predictMs(model, base.pages, 1);
    const known = { ...model, perPage: model.perPage * scale, bandwidth: model.bandwidth * scale };
    return {
      machine: left.machine,
      rows: own.map(({ pages, threads, ms }) => ({
        threads,
        ms,
        predictedMs: predictMs(model, pages, threads),
      })),
      errorPercent: errorOf(model, own),
      knownBaseErrorPercent: errorOf(known, own),
    };
  });
}
