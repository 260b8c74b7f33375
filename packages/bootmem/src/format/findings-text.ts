/** Findings for people: severity and line, what it is, what would help. */
import type { Finding } from '../result.js';
import { inLine } from './safe/escape.js';
import { fitted } from './paper.js';
import type { Paper } from './paper.js';

/**
 * @param findings  errors first
 * @param paper     colours of the severity, width
 * @returns lines; none without findings
 */
export function findingLines(findings: readonly Finding[], paper: Paper): string[] {
  const { colors } = paper;
  const fit = (text: string): string[] => fitted(text, paper).split('\n');
  const paint = { error: colors.red, warning: colors.yellow, note: colors.cyan };
  return findings.flatMap(({ severity, line, text, message, remedy }) => {
    const [head, ...more] = fit(
      `${severity}${line === undefined ? '' : ` (line ${line})`}: ${inLine(message)}`,
    );
    return [
      paint[severity](severity) + head!.slice(severity.length),
      ...more,
      ...(text === undefined ? [] : fit(`  ${inLine(text)}`).map(colors.dim)),
      ...fit(`  remedy: ${inLine(remedy)}`),
    ];
  });
}
