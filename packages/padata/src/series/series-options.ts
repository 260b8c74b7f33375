/** Options of a series: their names, ranges and defaults, and the shape of the ring that they ask for. */
import { canCapture } from '#capture';
import { PadataError, checkInteger } from '../base/errors.js';
import { moduleHref } from '../base/function-ref.js';
import { checkChoice, checkKind, checkOptions } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import { MAX_THREADS } from '../protocol/control-layout.js';
import { PRIORITIES, levelOf } from '../levels/levels.js';
import type { SlotRingOptions } from '../ring/job-ring.js';
import type { RingUse } from '../turns/ring-entry.js';
import { PROGRESS } from './limited-runs.js';
import type { SeriesOptions } from './series-types.js';

/** Largest window. */
const MAX_WINDOW = 65_536;
const DEFAULT_WINDOW = 256;
const DEFAULT_SLOT_BYTES = 1024;
const MIN_ARENA = 65_536;
const MAX_ARENA = 0x7fff_fff8;
const DEFAULT_GRACE_MS = 1000;
const DEFAULT_PENDING_PER_THREAD = 64;
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
  idsOf(options.workers ?? []);
}

/**
 * Bytes that are kept of what each job writes; 0 = it is not captured.
 * @throws ERR_PADATA_ARGUMENT where it cannot be
 */
function outputBytesOf(options: SeriesOptions): number {
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

/** Ids of workers. @throws ERR_PADATA_ARGUMENT when one of them is none */
export function idsOf(workers: Iterable<number>): number[] {
  checkKind('workers', workers, 'a list');
  const ids = [...workers];
  for (const id of ids) checkInteger('workers', id, 0, MAX_THREADS);
  return ids;
}

/** Between asking a function to stop and ending its job without it, in milliseconds. */
export function graceOf(options: Pick<SeriesOptions, 'graceMs'>): number {
  return options.graceMs ?? DEFAULT_GRACE_MS;
}

/** How a ring is made, as far as options say it. */
type OptionsOfRing = Pick<
  SlotRingOptions,
  'window' | 'arenaBytes' | 'slotBytes' | 'outputBytes' | 'copyBytes' | 'retries'
>;

/** The ring for these options, which were checked. */
export function ringOptions(options: SeriesOptions): OptionsOfRing {
  const { slotBytes = DEFAULT_SLOT_BYTES, idempotent = false, retries = 1 } = options;
  const window = 2 ** Math.ceil(Math.log2(options.window ?? DEFAULT_WINDOW));
  const wanted = Math.max(MIN_ARENA, (window + 1) * slotBytes);
  const arenaBytes = Math.ceil(Math.min(MAX_ARENA, wanted) / 8) * 8;
  return {
    window,
    arenaBytes,
    slotBytes: Math.min(slotBytes, arenaBytes >> 1),
    outputBytes: options.outputBytes ?? ((n) => n),
    copyBytes: (options.bytes ?? 'copy') === 'copy',
    retries: idempotent ? retries : 0,
  };
}

/**
 * What the ring is used for, by these options, which were checked.
 * @throws ERR_PADATA_ARGUMENT where what jobs write cannot be captured, or the function has no module
 */
export function ringUse(options: SeriesOptions): Omit<RingUse, 'workers' | 'onDelivered'> {
  return {
    outputBytes: outputBytesOf(options),
    href: moduleHref(options.fn),
    name: options.fn.name,
    shared: options.shared,
    pendingPerThread: options.pendingPerThread ?? DEFAULT_PENDING_PER_THREAD,
    copyInput: options.inputBytes === 'copy',
    level: levelOf(options.priority),
  };
}
