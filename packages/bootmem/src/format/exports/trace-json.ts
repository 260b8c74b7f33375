/**
 * A boot as a trace that Perfetto and Chrome's tracing page open: threads as tracks, chunks and phases as slices.
 *
 * ```
 * thread 0   |start threads|until the first allocation|chunk|chunk|
 * thread 1                                            |chunk|chunk|chunk|
 *            0             └ the boot's clock starts
 * ```
 * Source: "Trace Event Format", the JSON array format: complete events (`X`), instants (`i`), metadata (`M`).
 */
import type { BootReport, ChunkReport } from '../../result.js';
import { PAGE_SIZE } from '../numbers.js';

/** One event. Times are microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly cat?: string;
  readonly ph: 'X' | 'i' | 'M' | 'C';
  readonly ts: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly s?: 'p';
  readonly args?: Readonly<Record<string, string | number>>;
}

const PID = 1;

const micros = (ms: number): number => Math.round(ms * 1e6) / 1e3;

/**
 * The trace of a boot.
 * @param report  what `boot --json` prints
 * @returns JSON text with a line end
 */
export function traceJson({
  source,
  kernel,
  timing,
  chunks,
  threads,
  unaccepted,
}: BootReport): string {
  // Threads are started before the clock; a trace has no times below 0.
  const start = timing.threadStartMs;
  const slice = (name: string, tid: number, fromMs: number, toMs: number): TraceEvent => ({
    name,
    cat: 'boot',
    ph: 'X',
    ts: micros(fromMs),
    dur: Math.max(0, micros(toMs - fromMs)),
    pid: PID,
    tid,
  });
  const chunk = ({ thread, nid, startPfn, endPfn, startMs, endMs }: ChunkReport): TraceEvent => ({
    ...slice(`node ${nid}`, thread, start + startMs, start + endMs),
    cat: 'chunk',
    args: {
      node: nid,
      pages: endPfn - startPfn,
      from: `0x${(startPfn * PAGE_SIZE).toString(16)}`,
      to: `0x${(endPfn * PAGE_SIZE - 1).toString(16)}`,
    },
  });
  const named = (name: string, tid: number, text: string): TraceEvent => ({
    name,
    ph: 'M',
    ts: 0,
    pid: PID,
    tid,
    args: { name: text },
  });
  const ids = [...new Set([0, ...threads.map(({ thread }) => thread)])];
  const events: TraceEvent[] = [
    named('process_name', 0, `boot of ${source}, kernel ${kernel}`),
    ...ids.map((tid) =>
      named('thread_name', tid, tid === 0 ? 'thread 0 (caller)' : `thread ${tid}`),
    ),
    slice('start threads, before the boot', 0, 0, start),
    slice('until the first allocation', 0, start, start + timing.firstAllocationMs),
    {
      name: 'first allocation',
      ph: 'i',
      ts: micros(start + timing.firstAllocationMs),
      pid: PID,
      tid: 0,
      s: 'p',
    },
    ...chunks.map(chunk),
    ...(unaccepted?.timeline ?? []).map(({ ms, acceptedUnits }): TraceEvent => ({
      name: 'unaccepted bytes',
      ph: 'C',
      ts: micros(start + ms),
      pid: PID,
      tid: 0,
      args: {
        bytes: ((unaccepted?.totalUnits ?? 0) - acceptedUnits) * (unaccepted?.unitBytes ?? 0),
      },
    })),
  ];
  return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents: events })}\n`;
}
