/** What a series over NATS may be asked for: padata's options, those of the run, and what is not to be had over NATS. */
import type { JobOptions, SeriesOptions } from '@bootmem/padata';
import { checkInteger } from '@bootmem/padata/backend';
import { PadataNatsError } from '../wire/errors.js';
import type { RunInfo } from '../server/run-info.js';

/** Largest window. */
const MAX_WINDOW = 65_536;
const DEFAULT_WINDOW = 256;
const DEFAULT_RETRIES = 10;

/** Options of a series over NATS: padata's, and those of the run. */
export interface NatsSeriesOptions<F = unknown> extends SeriesOptions<F> {
  /** Name of the run; makes it one that can be resumed. Default: a name of its own, not to be resumed. */
  readonly run?: string;
  /** Take the run up where its dead submitter left it; `from` = first job to be delivered, if you know better. */
  readonly resume?: boolean | { readonly from: number };
  /** Fail with ERR_PADATA_NATS_NO_WORKER when no worker offers the module for so long; default 30 000 ms. */
  readonly workerWaitMs?: number;
}

/**
 * The window that is asked for.
 * @throws ERR_PADATA_ARGUMENT for numbers out of range, ERR_PADATA_NATS_ARGUMENT for what is not to be had over NATS
 */
export function checkedWindow<F>(options: NatsSeriesOptions<F>): number {
  const { window = DEFAULT_WINDOW } = options;
  checkInteger('window', window, 1, MAX_WINDOW);
  checkInteger('retries', options.retries ?? 0, 0, 1000);
  checkInteger('graceMs', options.graceMs ?? 0, 0, 0x7fffffff);
  refuseLocalOptions(options);
  return window;
}

/** What workers are told of a series. */
export function describeSeries<F>(options: NatsSeriesOptions<F>): Omit<RunInfo, 'epoch' | 'key'> {
  const { fn, shared, idempotent = false, slotBytes, inputBytes, graceMs } = options;
  return {
    kind: 'series',
    module: moduleName(fn.module),
    name: fn.name,
    shared,
    idempotent,
    retries: idempotent ? (options.retries ?? DEFAULT_RETRIES) : 0,
    slotBytes,
    inputBytes,
    graceMs,
  };
}

/** Options that name places on one machine mean nothing here. */
function refuseLocalOptions(options: SeriesOptions): void {
  if (options.workers !== undefined) {
    throw new PadataNatsError(
      'ERR_PADATA_NATS_ARGUMENT',
      "'workers' names threads of one machine; over NATS, modules decide which workers take a job",
    );
  }
  if (options.onJobProgress !== undefined) {
    throw new PadataNatsError(
      'ERR_PADATA_NATS_ARGUMENT',
      'onJobProgress is not to be had over NATS: functions tell of their progress on one machine only',
    );
  }
  for (const name of ['captureOutput', 'maxOutputBytes', 'onJobOutput'] as const) {
    if (options[name] === undefined) continue;
    throw new PadataNatsError(
      'ERR_PADATA_NATS_ARGUMENT',
      `${name} is not to be had over NATS: what jobs write stays with the machine that runs them`,
    );
  }
  if (options.priority !== undefined && options.priority !== 'normal') {
    throw new PadataNatsError(
      'ERR_PADATA_NATS_ARGUMENT',
      `priority: '${options.priority}' is not to be had over NATS: workers of many machines take jobs as they come`,
    );
  }
  if (options.order !== undefined && options.order !== 'submission') {
    throw new PadataNatsError(
      'ERR_PADATA_NATS_ARGUMENT',
      `order: '${options.order}' is not to be had over NATS: results are kept and resumed by their place in the order`,
    );
  }
}

/** Conditions of a call that need the slots of one machine. @throws ERR_PADATA_NATS_ARGUMENT */
export function refuseLocalRun(options: JobOptions): void {
  for (const name of ['timeoutMs', 'deadlineMs', 'onProgress', 'onOutput'] as const) {
    if (options[name] === undefined) continue;
    throw new PadataNatsError(
      'ERR_PADATA_NATS_ARGUMENT',
      `${name} is not to be had over NATS; a signal, as of AbortSignal.timeout(), ends a job`,
    );
  }
}

/** A module as it is named on the wire. */
export function moduleName(module: string | URL): string {
  return typeof module === 'string' ? module : module.href;
}
