/** The page's pictures: plain canvas, drawn from the boot's report. */
import type { BootReport, ChunkReport } from 'bootmem/browser';

/** One colour a node or thread, readable on light and dark. */
export const colour = (index: number): string => `hsl(${(215 + 67 * index) % 360} 62% 55%)`;

interface Sheet {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly ink: string;
  readonly soft: string;
}

/** Clears a canvas and scales it to the screen's pixels. */
function sheetOf(canvas: HTMLCanvasElement): Sheet {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser draws no canvas');
  const ratio = globalThis.devicePixelRatio;
  const width = canvas.clientWidth;
  const height = Number(canvas.getAttribute('height'));
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = '12px system-ui, sans-serif';
  const style = getComputedStyle(document.documentElement);
  return {
    context,
    width,
    height,
    ink: style.getPropertyValue('--ink'),
    soft: style.getPropertyValue('--soft'),
  };
}

const GIB_PAGES = 2 ** 18;

/** Address map: a row a node; outlined = present, filled = initialised. `until` in ms hides later chunks. */
export function drawMap(canvas: HTMLCanvasElement, report: BootReport, until = Infinity): void {
  const { context, width, height, ink, soft } = sheetOf(canvas);
  const end = Math.max(...report.earlyRanges.map((range) => range.endPfn));
  const left = 64;
  const x = (pfn: number): number => left + ((width - left - 12) * pfn) / end;
  const rowHeight = Math.min(30, (height - 26) / Math.max(1, report.nodes.length));
  const rowOf = new Map(report.nodes.map(({ nid }, row) => [nid, 8 + row * rowHeight]));
  context.fillStyle = ink;
  for (const { nid } of report.nodes)
    context.fillText(`node ${nid}`, 8, rowOf.get(nid)! + rowHeight * 0.6);
  for (const { nid, startPfn, endPfn } of report.earlyRanges) {
    const y = rowOf.get(nid)!;
    context.globalAlpha = 0.18;
    context.fillStyle = colour(nid);
    context.fillRect(x(startPfn), y, Math.max(1, x(endPfn) - x(startPfn)), rowHeight - 6);
    // What the early part covers is ready before the first chunk runs.
    const node = report.nodes.find((one) => one.nid === nid);
    const early = Math.min(endPfn, node?.firstDeferredPfn ?? endPfn);
    context.globalAlpha = 0.9;
    if (early > startPfn)
      context.fillRect(x(startPfn), y, Math.max(1, x(early) - x(startPfn)), rowHeight - 6);
  }
  context.globalAlpha = 0.9;
  for (const chunk of report.chunks) {
    if (chunk.endMs > until) continue;
    context.fillStyle = colour(chunk.nid);
    context.fillRect(
      x(chunk.startPfn),
      rowOf.get(chunk.nid)!,
      Math.max(1, x(chunk.endPfn) - x(chunk.startPfn)),
      rowHeight - 6,
    );
  }
  context.globalAlpha = 1;
  context.fillStyle = soft;
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(end / GIB_PAGES / 8)));
  for (let gib = 0; gib * GIB_PAGES <= end; gib += step) {
    context.fillRect(x(gib * GIB_PAGES), height - 18, 1, 4);
    context.fillText(`${gib} GiB`, x(gib * GIB_PAGES) + 2, height - 5);
  }
}

/** Timeline: a row a thread, a bar a chunk, coloured by node. */
export function drawTimeline(
  canvas: HTMLCanvasElement,
  report: BootReport,
  until = Infinity,
): void {
  const { context, width, height, ink, soft } = sheetOf(canvas);
  const chunks: readonly ChunkReport[] = report.chunks;
  const threads = [...new Set(chunks.map((chunk) => chunk.thread))].sort((a, b) => a - b);
  const last = Math.max(1, report.timing.totalMs);
  const left = 64;
  const x = (ms: number): number => left + ((width - left - 12) * ms) / last;
  const rowHeight = Math.min(26, (height - 26) / Math.max(1, threads.length));
  threads.forEach((thread, row) => {
    context.fillStyle = ink;
    context.fillText(`thread ${thread}`, 8, 8 + row * rowHeight + rowHeight * 0.6);
  });
  for (const chunk of chunks) {
    if (chunk.startMs > until) continue;
    context.fillStyle = colour(chunk.nid);
    const from = x(chunk.startMs);
    context.fillRect(
      from,
      8 + threads.indexOf(chunk.thread) * rowHeight,
      Math.max(1, x(chunk.endMs) - from - 0.5),
      rowHeight - 6,
    );
  }
  context.fillStyle = soft;
  for (let i = 0; i <= 4; i += 1) {
    const ms = (last * i) / 4;
    context.fillRect(x(ms), height - 18, 1, 4);
    context.fillText(`${ms.toFixed(1)} ms`, Math.min(x(ms) + 2, width - 52), height - 5);
  }
  const first = x(report.timing.firstAllocationMs);
  context.fillStyle = ink;
  context.fillRect(first, 4, 1, height - 22);
  context.fillText('first allocation', Math.min(first + 4, width - 90), height - 22);
}

/** Bars of free memory by order; a colour a zone. */
export function drawOrders(canvas: HTMLCanvasElement, report: BootReport): void {
  const { context, width, height, ink, soft } = sheetOf(canvas);
  const zones = report.zones.filter((zone) => zone.freeBlocks.length > 0);
  const orders = Math.max(0, ...zones.map((zone) => zone.freeBlocks.length));
  const bytes = (order: number): number[] =>
    zones.map((zone) => (zone.freeBlocks[order] ?? 0) * 2 ** order * 4096);
  const most = Math.max(
    1,
    ...Array.from({ length: orders }, (_, order) =>
      bytes(order).reduce((sum, one) => sum + one, 0),
    ),
  );
  // From 4 KiB to the most, by powers of two: the smallest orders would vanish on a linear scale.
  const scale = (value: number): number =>
    value <= 0 ? 0 : ((height - 40) * Math.log2(1 + value / 4096)) / Math.log2(1 + most / 4096);
  const column = (width - 20) / Math.max(1, orders);
  for (let order = 0; order < orders; order += 1) {
    const parts = bytes(order);
    const total = parts.reduce((sum, one) => sum + one, 0);
    let y = height - 18;
    parts.forEach((part, zone) => {
      const tall = (scale(total) * part) / Math.max(1, total);
      context.fillStyle = colour(zone);
      context.fillRect(10 + order * column, y - tall, column - 6, tall);
      y -= tall;
    });
    context.fillStyle = ink;
    context.fillText(size(total), 12 + order * column, y - 4);
    context.fillStyle = soft;
    context.fillText(`order ${order}`, 12 + order * column, height - 5);
  }
}

/** Bytes for people: three digits at most, as the command prints them. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let at = 0;
  let value = bytes;
  for (; value >= 1024 && at < units.length - 1; at += 1) value /= 1024;
  const digits = Number.isInteger(value) || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[at]!}`;
}
