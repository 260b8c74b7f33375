/** Findings for people: severity and line, what it is, what would help. */
import type { Finding } from '../result.js';
import type { Colors } from './colors.js';

/**
 * @param findings  errors first
 * @param colors    colours of the severity
 * @returns lines; none without findings
 */
export function findingLines(findings: readonly Finding[], colors: Colors): string[] {
  const paint = { error: colors.red, warning: colors.yellow, note: colors.cyan };
  return findings.flatMap(({ severity, line, text, message, remedy }) => [
    `${paint[severity](severity)}${line === undefined ? '' : ` (line ${line})`}: ${message}`,
    ...(text === undefined ? [] : [colors.dim(`  ${text}`)]),
    `  remedy: ${remedy}`,
  ]);
}
