/**
 * The first parts of the page: the findings, and where the memory went, a waterfall beside its numbers.
 *
 * ```
 * whole         ████████████████████████████████   4 GiB  100 %   its line
 * row           ·······················█████████   …              each bar begins where the rows before it have left off
 * row           ····················███
 * what goes on  ████████████████████
 * ```
 */
import type { ByteSpan, ExplainLevel, ExplainReport } from '../explain-result.js';
import { formatBytes, formatPercent } from '../format/numbers.js';
import type { Finding } from '../result.js';
import { escapeHtml } from './html.js';
import { percentOf } from './drawings/svg.js';
import type { Domain } from './drawings/svg.js';

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

/** Percent of the width that something takes which is there, however small. */
const LEAST = 0.4;
/** From this share on, what goes on is cut off at the left, so that what was taken can be seen. */
const MUCH_LEFT = 0.7;

/** The part of a level that bars show: all of it, or its end. */
function domainOf({ whole, left }: ExplainLevel): Domain {
  const to = Math.max(1, whole.bytes);
  const on = left?.bytes ?? 0;
  return { from: on / to < MUCH_LEFT ? 0 : Math.max(0, on - (to - on) / 6), to };
}

/** A bar of the waterfall: what is left of the whole, or where it is taken from. */
function bar({ kind, label }: Part, { start, end }: ByteSpan, domain: Domain): string {
  const first = percentOf(Math.max(start, domain.from), domain);
  const width = Math.max(LEAST, percentOf(end, domain) - first);
  const x = Math.min(first, 100 - width);
  const title = escapeHtml(`${label}: ${formatBytes(end - start)}`);
  const cut = start < domain.from ? '<rect class="cut" x="2%" y="0" width="1%" height="14"/>' : '';
  return `<svg class="waterfall" width="100%" height="14" role="img" aria-label="${title}"><title>${title}</title><rect class="${kind}" x="${x.toFixed(3)}%" y="0" width="${width.toFixed(3)}%" height="14"/>${cut}</svg>`;
}

function levelHtml(level: ExplainLevel): string {
  const whole = level.whole.bytes;
  const domain = domainOf(level);
  let end = whole;
  const rows = partsOf(level).map((part) => {
    const { label, bytes, kind, note } = part;
    const isWhole = kind === 'whole' || kind === 'left';
    const start = isWhole ? 0 : end - bytes;
    const drawn = bar(part, { start, end: start + bytes }, domain);
    if (!isWhole) end = start;
    const share = formatPercent(whole === 0 ? 0 : bytes / whole);
    const quote = escapeHtml(note);
    return `<tr class="${kind}"><th scope="row">${escapeHtml(label)}</th><td class="bar">${drawn}</td><td class="number">${formatBytes(bytes)}</td><td class="number">${share}</td><td class="evidence"><span title="${quote}">${quote}</span></td></tr>`;
  });
  const title = escapeHtml(level.title);
  const scale = domain.from === 0 ? '' : `from ${formatBytes(domain.from)}`;
  const reach = `${scale}<span class="unseen"> to ${formatBytes(whole)}, as a bar</span>`;
  return `<div class="level"><table><thead><tr><th scope="col">${title}</th><th scope="col" class="bar">${reach}</th><th scope="col" class="number">size</th><th scope="col" class="number">share</th><th scope="col" class="evidence">evidence</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

/** All levels, each a waterfall beside its numbers; a sentence where nothing was explained. */
export function memoryHtml(report: ExplainReport | undefined): string {
  if (report === undefined) return '<p>Not worked out for this page.</p>';
  return report.levels.map(levelHtml).join('');
}
