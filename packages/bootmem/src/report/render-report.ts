/**
 * One HTML page about a boot: the JSON of boot, comparison and measurement, and the script that draws them,
 * all inlined, so that the file works from a disk, an attachment or an archive for ever.
 *
 * Template and style are in `assets/`, the script's source in `page/`.
 */
import { readFile } from 'node:fs/promises';
import { pageScript } from './page-script.js';
import { PUBLISHED_CURVES } from './published-curves.js';
import type { ExplainReport } from '../explain-result.js';
import { escapeHtml, findingsHtml, memoryHtml } from './memory-section.js';
import type { BenchReport, ModelReport } from '../bench-result.js';
import type { BootReport, CheckReport } from '../result.js';

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
 * JSON that may stand inside a script element.
 * @param value  anything JSON can hold
 */
export function inlineJson(value: unknown): string {
  return JSON.stringify(value).replace(/</g, '\\u003c');
}

/**
 * Renders the page.
 * @param input  what to show
 * @returns HTML text, about 0.4 MB
 */
export async function renderReport(input: ReportInput): Promise<string> {
  const { boot, check, bench, model } = input;
  const [template, style, script] = await Promise.all([
    asset('report.html'),
    asset('report.css'),
    pageScript(),
  ]);
  // Placeholders are whole statements, so that formatters of HTML leave them alone.
  const parts: readonly (readonly [placeholder: string, text: string])[] = [
    ['@title', `bootmem: ${escapeHtml(input.boot.source)}`],
    ["@import '@style';", style],
    ['<p>@findings</p>', findingsHtml(input.check.findings)],
    ['<p>@memory</p>', memoryHtml(input.explain)],
    ['"@data"', inlineJson({ boot, check, bench, model, published: PUBLISHED_CURVES })],
    ["'@script';", inlineScript(script)],
  ];
  let page = template;
  for (const [placeholder, text] of parts) {
    // A function as the replacement: the script contains "$&" and the like.
    page = page.replace(placeholder, () => text);
  }
  return page;
}
