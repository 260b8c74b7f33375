/**
 * Threads and chunks: who initialised what, and when. Time runs from the start of the boot, on a true scale: what is
 * left of the line is the wait for the first allocation. Starting threads comes before, as a kernel's processors do.
 */
import { formatBytes, formatCount, formatMs, PAGE_SIZE } from '../../format/numbers.js';
import type { BootReport, ChunkReport } from '../../result.js';
import { escapeHtml, keyHtml, laneHtml, numberColumns, numbersHtml } from '../html.js';
import { nodeColor } from './look.js';
import { axis, bars, percentOf, svg, ticksOf } from './svg.js';
import type { Bar, Domain } from './svg.js';

const LANE = 26;
/** Chunks drawn one by one; of more, the first. */
const MAX_CHUNKS = 4000;

function barOf({ nid, startPfn, endPfn, startMs, endMs }: ChunkReport): Bar {
  const pages = endPfn - startPfn;
  const title = `node ${nid}, ${formatCount(pages)} pages (${formatBytes(pages * PAGE_SIZE)}) from 0x${(startPfn * PAGE_SIZE).toString(16)}: ${formatMs(startMs)} to ${formatMs(endMs)}`;
  return { start: startMs, end: endMs, color: nodeColor(nid), title };
}

/** The line at which memory can be used. */
function firstAllocation(ms: number, domain: Domain, height: number): string {
  const x = percentOf(ms, domain);
  const title = escapeHtml(`first allocation after ${formatMs(ms)}`);
  return `<g class="first"><rect class="wait" x="0" y="0" width="${x}%" height="${height}"/><line x1="${x}%" x2="${x}%" y1="0" y2="${height}"/><title>${title}</title></g>`;
}

/** The drawing; a sentence where nothing was deferred. */
export function timelineHtml({ chunks, timing }: BootReport): string {
  const { firstAllocationMs, totalMs, threadStartMs } = timing;
  const end = chunks.reduce((late, { endMs }) => Math.max(late, endMs), totalMs);
  const domain = { from: 0, to: Math.max(end, firstAllocationMs, 0.001) };
  const early: Bar = {
    start: 0,
    end: firstAllocationMs,
    color: 'var(--soft)',
    title: `until the first allocation: ${formatMs(firstAllocationMs)}`,
    label: 'until the first allocation',
  };
  const ids = [...new Set([0, ...chunks.map(({ thread }) => thread)])].sort((a, b) => a - b);
  const drawn = chunks.slice(0, MAX_CHUNKS);
  const lanes = ids.map((thread) => {
    const own = drawn.filter((chunk) => chunk.thread === thread).map(barOf);
    const name = thread === 0 ? 'thread 0, the calling one' : `thread ${thread}`;
    const marks = bars(thread === 0 ? [early, ...own] : own, domain, 2);
    const line = firstAllocation(firstAllocationMs, domain, LANE);
    return `${laneHtml(name)}${svg(`Chunks of ${name} over time`, LANE, [line, ...marks])}`;
  });
  const nids = [...new Set(chunks.map(({ nid }) => nid))].sort((a, b) => a - b);
  const told =
    chunks.length === 0
      ? 'No page was left for the threads: this machine is small enough to be initialised early, or the mode defers nothing.'
      : `The first allocation came after ${formatMs(firstAllocationMs)} (dashed line), everything was ready after ${formatMs(totalMs)}. Starting the threads took ${formatMs(threadStartMs)} before that.`;
  return [
    laneHtml(told),
    ...lanes,
    axis(ticksOf(domain), domain, (ms) => `${Number(ms.toPrecision(6))} ms`),
    keyHtml(nids.map((nid) => [`node ${nid}`, nodeColor(nid)])),
    ...(drawn.length < chunks.length
      ? [laneHtml(`The first ${MAX_CHUNKS} of ${chunks.length} chunks are drawn.`)]
      : []),
  ].join('');
}

/** Chunks as numbers. */
export function timelineNumbers({ chunks }: BootReport): string {
  if (chunks.length === 0) return '';
  const columns = numberColumns(['thread', 'node', 'pages', 'start ms', 'took ms']);
  return numbersHtml(
    'Chunks',
    columns,
    chunks.map(({ thread, nid, startPfn, endPfn, startMs, endMs }) => [
      thread,
      nid,
      formatCount(endPfn - startPfn),
      startMs.toFixed(2),
      (endMs - startMs).toFixed(2),
    ]),
  );
}
