/** Options of a series: their names, ranges and defaults, and the shape of the ring that they ask for. */
import { canCapture } from '#capture';
import { PadataError, checkInteger } from '../base/errors.js';
import { checkChoice, checkOptions } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import { MAX_THREADS } from '../protocol/control-layout.js';
import { PRIORITIES } from '../levels/levels.js';
import { PROGRESS } from './limited-runs.js';
import type { SeriesOptions } from './series-types.js';

/** Largest window. */
const MAX_WINDOW = 65_536;
const DEFAULT_WINDOW = 256;
const DEFAULT_SLOT_BYTES = 1024;
const MIN_ARENA = 65_536;
const MAX_ARENA = 0x7fff_fff8;
/** Between asking a function to stop and ending its job without it, in milliseconds. */
export const DEFAULT_GRACE_MS = 1000;
export const DEFAULT_PENDING_PER_THREAD = 64;
const DEFAULT_OUTPUT_BYTES = 1 << 20;

/** Options that a shell has as well as a series. */
export const COMMON_OPTIONS: OptionKinds<
  Omit<SeriesOptions, 'fn' | 'onFull' | 'order' | 'workers'>
> = {
  window: 'a number',
  halt: 'a text',
  slotBytes: 'a number',
  outputBytes: 'a function',
  bytes: 'a text',
  inputBytes: 'a text',
  idempotent: 'true or false',
  retries: 'a number',
  signal: 'an AbortSignal',
  graceMs: 'a number',
  shared: 'anything',
  watchdogMs: 'a number',
  onStall: 'a function',
  onJobProgress: 'a function',
  progress: 'a text',
  pendingPerThread: 'a number',
  captureOutput: 'true or false',
  maxOutputBytes: 'a number',
  onJobOutput: 'a function',
  priority: 'a text',
};
const SERIES_OPTIONS: OptionKinds<SeriesOptions> = {
  ...COMMON_OPTIONS,
  fn: 'anything',
  onFull: 'a text',
  order: 'a text',
  workers: 'a list',
};

/** @throws ERR_PADATA_ARGUMENT */
export function checkSeriesOptions(options: SeriesOptions): void {
  checkOptions('a series', options, SERIES_OPTIONS);
  checkChoice('onFull', options.onFull, ['wait', 'inline', 'reject']);
  checkChoice('order', options.order, ['submission', 'none']);
  checkChoice('bytes', options.bytes, ['copy', 'view']);
  checkChoice('inputBytes', options.inputBytes, ['view', 'copy']);
  checkChoice('progress', options.progress, PROGRESS);
  checkPriority(options.priority);
  checkInteger('window', options.window ?? 1, 1, MAX_WINDOW);
  checkInteger('pendingPerThread', options.pendingPerThread ?? 1, 1, MAX_WINDOW);
  checkInteger('slotBytes', options.slotBytes ?? 0, 0, MAX_ARENA);
  checkInteger('retries', options.retries ?? 0, 0, 1000);
  checkInteger('graceMs', options.graceMs ?? 0, 0, 0x7fffffff);
  checkInteger('maxOutputBytes', options.maxOutputBytes ?? 1, 1, 0x7fffffff);
  checkInteger('watchdogMs', options.watchdogMs ?? 1, 1, 0x7fffffff);
  for (const id of options.workers ?? []) checkWorker(id);
}

/**
 * Bytes that are kept of what each job writes; 0 = it is not captured.
 * @throws ERR_PADATA_ARGUMENT where it cannot be
 */
export function outputBytesOf(options: SeriesOptions): number {
  const { onJobOutput, captureOutput = onJobOutput !== undefined } = options;
  if (!captureOutput) return 0;
  if (!canCapture()) {
    throw new PadataError(
      'ERR_PADATA_ARGUMENT',
      'what jobs write can be captured on Node only: elsewhere threads have no standard streams',
      { name: 'captureOutput' },
    );
  }
  return options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES;
}

/** @throws ERR_PADATA_ARGUMENT when it is none */
export function checkPriority(priority: unknown): void {
  checkChoice('priority', priority, PRIORITIES);
}

/** @throws ERR_PADATA_ARGUMENT when it is no worker's id */
export function checkWorker(id: number): void {
  checkInteger('workers', id, 0, MAX_THREADS);
}

/** Sizes of a ring. */
export interface RingShape {
  /** Jobs in flight at most; a power of two. */
  readonly window: number;
  readonly arenaBytes: number;
  /** Bytes of the arena that plain data may take. */
  readonly slotBytes: number;
}

/** The ring for these options, which were checked. */
export function ringShape(options: SeriesOptions): RingShape {
  const { slotBytes = DEFAULT_SLOT_BYTES } = options;
  const window = 2 ** Math.ceil(Math.log2(options.window ?? DEFAULT_WINDOW));
  const wanted = Math.max(MIN_ARENA, (window + 1) * slotBytes);
  const arenaBytes = Math.ceil(Math.min(MAX_ARENA, wanted) / 8) * 8;
  return { window, arenaBytes, slotBytes: Math.min(slotBytes, arenaBytes >> 1) };
}
