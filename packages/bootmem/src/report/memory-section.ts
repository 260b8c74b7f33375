/**
 * Two parts of the page that need no script: where the memory went, as a waterfall and tables, and the findings.
 *
 * ```
 * whole      ████████████████████████████████
 * row        ·······················█████████      each bar begins where the rows before it have left off
 * row        ····················███
 * what goes on  ████████████████████
 * ```
 */
import type { ExplainLevel, ExplainReport } from '../explain-result.js';
import { formatBytes, formatPercent } from '../format/numbers.js';
import type { Finding } from '../result.js';

/** Text that may stand in an element or an attribute. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Findings as a list; a sentence where there are none. */
export function findingsHtml(findings: readonly Finding[]): string {
  if (findings.length === 0) return '<p>Nothing in this log that the kernel complained about.</p>';
  const items = findings.map(({ severity, line, text, message, remedy }) => {
    const where = line === undefined ? '' : ` (line ${line})`;
    const quote = text === undefined ? '' : `<br /><code>${escapeHtml(text)}</code>`;
    return `<li class="${severity}"><strong>${severity}</strong>${where}: ${escapeHtml(message)}${quote}<br />${escapeHtml(remedy)}</li>`;
  });
  return `<ul class="findings">${items.join('')}</ul>`;
}

/** A part of a level: a row, the rest, or what goes on. */
interface Part {
  readonly label: string;
  readonly bytes: number;
  readonly kind: 'whole' | 'row' | 'rest' | 'left';
  readonly note: string;
}

function partsOf({ whole, rows, rest, left }: ExplainLevel): Part[] {
  return [
    { label: whole.label, bytes: whole.bytes, kind: 'whole', note: '' },
    ...rows.map((row): Part => ({
      label: row.label,
      bytes: row.bytes,
      kind: 'row',
      note: row.evidence[0]?.text ?? '',
    })),
    ...(rest.bytes === 0
      ? []
      : [{ label: 'not named', bytes: rest.bytes, kind: 'rest', note: '' } as const]),
    ...(left === undefined
      ? []
      : [{ label: left.label, bytes: left.bytes, kind: 'left', note: '' } as const]),
  ];
}

const WIDTH = 640;
const BAR = 14;
const STEP = 20;

/** The waterfall of a level: each bar from where the ones before it ended, from the right. */
function waterfall(level: ExplainLevel): string {
  const parts = partsOf(level);
  const scale = level.whole.bytes === 0 ? 0 : WIDTH / level.whole.bytes;
  let end = level.whole.bytes;
  const bars = parts.map(({ kind, bytes, label }, index) => {
    const start = kind === 'whole' || kind === 'left' ? 0 : end - bytes;
    if (kind === 'row' || kind === 'rest') end = start;
    // Something there shows, however small.
    const width = Math.max(1, bytes * scale);
    const title = `${label}: ${formatBytes(bytes)}`;
    return `<rect class="${kind}" x="${Math.min(WIDTH - 1, start * scale).toFixed(1)}" y="${index * STEP}" width="${width.toFixed(1)}" height="${BAR}"><title>${escapeHtml(title)}</title></rect>`;
  });
  const height = parts.length * STEP;
  const name = escapeHtml(`${level.title}: ${level.whole.label} divided up`);
  return `<svg class="waterfall" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${name}"><title>${name}</title>${bars.join('')}</svg>`;
}

function table(level: ExplainLevel): string {
  const rows = partsOf(level).map(({ label, bytes, kind, note }) => {
    const share = formatPercent(level.whole.bytes === 0 ? 0 : bytes / level.whole.bytes);
    return `<tr class="${kind}"><th scope="row">${escapeHtml(label)}</th><td>${formatBytes(bytes)}</td><td>${share}</td><td>${escapeHtml(note)}</td></tr>`;
  });
  return `<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">${escapeHtml(level.title)}</th><th scope="col">size</th><th scope="col">share</th><th scope="col">evidence</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

/** All levels: picture and table; a sentence where nothing was explained. */
export function memoryHtml(report: ExplainReport | undefined): string {
  if (report === undefined) return '<p>Not worked out for this page.</p>';
  return report.levels
    .map((level) => `<h3>${escapeHtml(level.title)}</h3>${waterfall(level)}${table(level)}`)
    .join('');
}
