/**
 * What is said about unaccepted memory, as typed objects and as the kernel's lines.
 */
import { PAGE_SIZE } from '../base/constants.js';
import type { StateRun, UnitState } from './types.js';
import type { UnacceptedMemory } from './unaccepted-memory.js';
import { checkMethods } from '../base/check.js';

const STATE_LETTERS: Readonly<Record<UnitState, string>> = {
  accepted: '.',
  unaccepted: 'U',
  accepting: 'a',
  interrupted: '!',
  shared: 'S',
  converting: 'c',
};
const UNITS_PER_LINE = 64;

/**
 * The line of /proc/meminfo, or of a node's meminfo.
 * @param bytes  parked memory in bytes, of the machine or the node
 * @param nid    the node; default: the whole machine's line
 * @kernel meminfo_proc_show
 */
export function meminfoLine(bytes: number, nid?: number): string {
  return `${nid === undefined ? '' : `Node ${nid} `}Unaccepted:     ${kib(bytes)} kB`;
}

/**
 * The line of /proc/vmstat; that of a zone in /proc/zoneinfo is the same, indented by six.
 * @param pages  parked pages
 */
export function vmstatLine(pages: number): string {
  return `nr_unaccepted ${pages}`;
}

function kib(bytes: number): string {
  return Math.floor(bytes / 1024)
    .toString()
    .padStart(8);
}

/** The state of everything the table covers. */
export interface AcceptReport {
  /** First byte the table covers. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  /** Bytes of a unit. */
  readonly unitSize: number;
  /** Bytes in each state. */
  readonly bytes: Readonly<Record<UnitState, number>>;
  /** Ascending runs of equal state. */
  readonly runs: readonly StateRun[];
}

/** Reads the state of all units; each unit is a snapshot of its own. O(units). */
export function acceptReport(memory: UnacceptedMemory): AcceptReport {
  checkMethods('memory', memory, ['stateRuns', 'unacceptedBytes']);
  const { physBase, unitSize, unitCount } = memory.geometry;
  const runs = memory.stateRuns();
  const bytes: Record<UnitState, number> = {
    accepted: 0,
    unaccepted: 0,
    accepting: 0,
    interrupted: 0,
    shared: 0,
    converting: 0,
  };
  for (const run of runs) bytes[run.state] += run.end - run.start;
  return { start: physBase, end: physBase + unitCount * unitSize, unitSize, bytes, runs };
}

/**
 * The report as text: one line a run with inclusive ends as the kernel prints ranges, then a map with one
 * letter a unit (`.` accepted, `U` unaccepted, `a` being accepted, `S` shared, `c` being converted, `!` interrupted).
 */
export function formatAcceptReport(report: AcceptReport): string {
  const hex = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
  const lines = report.runs.map(
    (run) => `[mem ${hex(run.start)}-${hex(run.end - 1)}] ${run.state}`,
  );
  let map = '';
  for (const run of report.runs) {
    map += STATE_LETTERS[run.state].repeat((run.end - run.start) / report.unitSize);
  }
  for (let at = 0; at < map.length; at += UNITS_PER_LINE) {
    const address = report.start + at * report.unitSize;
    lines.push(`${hex(address)}: ${map.slice(at, at + UNITS_PER_LINE)}`);
  }
  lines.push(meminfoLine(report.bytes.unaccepted + report.bytes.accepting));
  lines.push(vmstatLine((report.bytes.unaccepted + report.bytes.accepting) / PAGE_SIZE));
  return `${lines.join('\n')}\n`;
}
