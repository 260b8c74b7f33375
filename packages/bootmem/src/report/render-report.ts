/**
 * One HTML page about a boot: the JSON of boot, comparison and measurement, the plotting library and a
 * small script, all inlined, so that the file works from a disk, an attachment or an archive for ever.
 *
 * The page's own parts are in `assets/`; Observable Plot and d3 come from their packages as installed.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PUBLISHED_CURVES } from './published-curves.js';
import type { BenchReport, BootReport, CheckReport } from '../result.js';

/** What a page is made of. */
export interface ReportInput {
  readonly boot: BootReport;
  readonly check: CheckReport;
  readonly bench: BenchReport;
}

const asset = (name: string): Promise<string> =>
  readFile(new URL(`../../assets/${name}`, import.meta.url), 'utf8');

/** The browser build beside a package's entry file `src/index.js`. */
function browserBuild(packageName: string, file: string): Promise<string> {
  const entry = createRequire(import.meta.url).resolve(packageName);
  return readFile(join(dirname(entry), '..', 'dist', file), 'utf8');
}

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
 * @returns HTML text, about 0.6 MB
 */
export async function renderReport(input: ReportInput): Promise<string> {
  const [template, style, script, d3, plot] = await Promise.all([
    asset('report.html'),
    asset('report.css'),
    asset('report.js'),
    browserBuild('d3', 'd3.min.js'),
    browserBuild('@observablehq/plot', 'plot.umd.min.js'),
  ]);
  // Placeholders are whole statements, so that formatters of HTML leave them alone.
  const parts: readonly (readonly [placeholder: string, text: string])[] = [
    ['@title', `bootmem: ${escapeHtml(input.boot.source)}`],
    ["@import '@style';", style],
    ['"@data"', inlineJson({ ...input, published: PUBLISHED_CURVES })],
    ["'@d3';", inlineScript(d3)],
    ["'@plot';", inlineScript(plot)],
    ["'@script';", inlineScript(script)],
  ];
  let page = template;
  for (const [placeholder, text] of parts) {
    // A function as the replacement: the libraries contain "$&" and the like.
    page = page.replace(placeholder, () => text);
  }
  return page;
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
