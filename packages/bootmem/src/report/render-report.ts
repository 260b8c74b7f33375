/**
 * One HTML page about a boot: drawings and tables, made here, and the JSON that they are made from, all inlined, so that
 * the file works from a disk, an attachment or an archive for ever, without a script too. The script only zooms the
 * address map, filters the checks and turns the light off.
 *
 * Template and style are in `assets/`, drawings in `drawings/`, the script's source in `page/`.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { inTurns } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import type { BenchReport, ModelReport } from '../bench-result.js';
import type { ExplainReport } from '../explain-result.js';
import type { BootReport, CheckReport } from '../result.js';
import { withoutHidden } from '../format/safe/hidden.js';
import { addressMap, mapNumbers, mapZooms } from './drawings/address-map.js';
import { blocksHtml } from './drawings/free-blocks.js';
import { predictionHtml, scalingHtml, scalingTable } from './drawings/scaling.js';
import { timelineHtml, timelineNumbers } from './drawings/timeline.js';
import { unacceptedHtml } from './drawings/unaccepted.js';
import { zonesHtml, zoneTable } from './drawings/zones.js';
import { escapeHtml } from './html.js';
import { findingsHtml, memoryHtml } from './memory-section.js';
import { pageScript } from './page-script.js';
import { cardsHtml, checksHtml, notesHtml, subtitleOf } from './summary-section.js';

/** What a page is made of. */
export interface ReportInput {
  readonly boot: BootReport;
  readonly check: CheckReport;
  readonly bench: BenchReport;
  /** Times by threads a node, predicted; without it the page has none. */
  readonly model?: ModelReport | undefined;
  /** Where the memory went; without it the page says so. */
  readonly explain?: ExplainReport;
}

const asset = (name: string): Promise<string> =>
  readFile(new URL(`../../assets/${name}`, import.meta.url), 'utf8');

/**
 * Text that may stand inside a script element: nothing in it can end the element.
 * @param text  JavaScript source
 */
export function inlineScript(text: string): string {
  return text.replace(/<\/(script)/gi, '<\\/$1').replace(/<!--/g, '<\\!--');
}

/**
 * JSON that may stand inside a script element, and shows all that it holds to who looks at the source.
 * @param value  anything JSON can hold
 */
export function inlineJson(value: unknown): string {
  return withoutHidden(JSON.stringify(value)).replace(/</g, '\\u003c');
}

/** What a content security policy calls the one script of the page: its element's text, white space and all. */
function scriptHash(template: string, script: string): string {
  const element = /<script>([^<]*)<\/script>/.exec(template)?.[1] ?? '';
  const text = element.replace(SCRIPT, () => script);
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

const SCRIPT = "'@script';";

/**
 * Renders the page.
 * @param input   what to show
 * @param signal  ends it between two parts
 * @returns HTML text, 0.1 MB and more
 */
export async function renderReport(input: ReportInput, signal?: AbortSignal): Promise<string> {
  const { boot, check, bench, model } = input;
  const [template, style, source] = await Promise.all([
    asset('report.html'),
    asset('report.css'),
    pageScript(),
  ]);
  const script = inlineScript(source);
  const [whole] = mapZooms(boot);
  const title = `Memory bring-up of ${boot.source}`;
  // Placeholders are whole statements, so that formatters of HTML leave them alone.
  const parts: readonly Part[] = [
    ['@title', () => escapeHtml(`bootmem: ${boot.source}`)],
    ["'@script-hash'", () => scriptHash(template, script)],
    ["@import '@style';", () => style],
    ['@heading', () => escapeHtml(title)],
    ['@subtitle', () => escapeHtml(subtitleOf(boot))],
    ['<li>@cards</li>', () => cardsHtml(boot, check)],
    ['<p>@findings</p>', () => findingsHtml(check.findings)],
    ['<p>@memory</p>', () => memoryHtml(input.explain)],
    ['<p>@map</p>', () => addressMap(boot, whole!)],
    ['<p>@map-numbers</p>', () => mapNumbers(boot)],
    ['<p>@zones</p>', () => zonesHtml(boot)],
    ['<p>@zone-table</p>', () => zoneTable(boot)],
    ['<p>@timeline</p>', () => timelineHtml(boot)],
    ['<p>@timeline-numbers</p>', () => timelineNumbers(boot)],
    ['<p>@blocks</p>', () => blocksHtml(boot)],
    ['<p>@unaccepted</p>', () => unacceptedHtml(boot)],
    ['<p>@scaling</p>', () => scalingHtml(bench)],
    ['<p>@scaling-table</p>', () => `${scalingTable(bench)}${predictionHtml(model)}`],
    ['<p>@checks</p>', () => checksHtml(check)],
    ['@log', () => escapeHtml(boot.log.join('\n'))],
    ['<li>@notes</li>', () => notesHtml(boot)],
    ['"@data"', () => inlineJson({ boot, check, bench, model })],
    [SCRIPT, () => script],
  ];
  return await inTurns(filled(template, parts), signal);
}

/** What stands in the template for a part of the page, and what makes that. */
type Part = readonly [placeholder: string, text: () => string];

/** The template with its parts, made one after the other. */
function* filled(template: string, parts: readonly Part[]): Steps<string> {
  // What is put in may hold the words of another placeholder: each is looked for in the template alone.
  const cuts = parts
    .map(([placeholder, text]) => ({ at: template.indexOf(placeholder), placeholder, text }))
    .sort((a, b) => a.at - b.at);
  let page = '';
  let from = 0;
  for (const { at, placeholder, text } of cuts) {
    page += template.slice(from, at) + text();
    from = at + placeholder.length;
    yield;
  }
  return page + template.slice(from);
}
