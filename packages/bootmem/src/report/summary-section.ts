/** Parts of the page that are words and numbers: key figures, checks, log. */
import { formatBytes, formatMs } from '../format/numbers.js';
import type { BootReport, CheckReport, FactReport } from '../result.js';
import { escapeHtml } from './html.js';

/** What the page is about, and how it was brought up. */
export function subtitleOf({ kernel, options }: BootReport): string {
  const { profile, mode, threads, accept } = options;
  return `kernel ${kernel}, profile ${profile}; ${mode}, ${threads} thread${threads === 1 ? '' : 's'}, acceptance ${accept}`;
}

/** Key figures. */
export function cardsHtml({ machine, timing }: BootReport, check: CheckReport): string {
  const cards: readonly (readonly [name: string, text: string, id: string, value: number])[] = [
    ['memory', formatBytes(machine.memoryBytes), 'memory', machine.memoryBytes],
    ['nodes', String(machine.nodeCount), 'nodes', machine.nodeCount],
    ['cpus', String(machine.cpuCount), 'cpus', machine.cpuCount],
    [
      'first allocation',
      formatMs(timing.firstAllocationMs),
      'first-allocation',
      timing.firstAllocationMs,
    ],
    ['everything ready', formatMs(timing.totalMs), 'total', timing.totalMs],
    [
      'pages a second',
      `${(timing.pagesPerSecond / 1e6).toFixed(1)} M`,
      'rate',
      timing.pagesPerSecond,
    ],
    ['facts equal', `${check.equal} of ${check.equal + check.differs}`, 'equal', check.equal],
  ];
  return cards
    .map(
      ([name, text, id, value]) =>
        `<li><b data-figure="${id}" data-value="${value}">${text}</b><span>${name}</span></li>`,
    )
    .join('');
}

const CLASSES: Readonly<Record<FactReport['verdict'], string>> = {
  equal: 'equal',
  differs: 'differs',
  'not derivable': 'open',
};

/** Facts, each with its verdict. The page's script adds filters. */
export function checksHtml({ facts }: CheckReport): string {
  const titles = ['fact', 'of', 'kernel', 'ours', 'verdict'];
  const rows = facts.map(({ fact, subject, kernel, ours, verdict, reason }) => {
    const cells = [fact, subject, kernel, ours].map((text) => `<td>${escapeHtml(text)}</td>`);
    const why = reason === undefined ? '' : ` (${escapeHtml(reason)})`;
    return `<tr data-verdict="${verdict}">${cells.join('')}<td><span class="verdict-${CLASSES[verdict]}">${verdict}${why}</span></td></tr>`;
  });
  const head = titles.map((title) => `<th scope="col">${title}</th>`).join('');
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** Notes of the boot as a list. */
export function notesHtml({ notes }: BootReport): string {
  return notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('');
}
