/**
 * Facts about this package as installed: its version and the files shipped beside the code.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the sample boot that `bootmem boot` uses without arguments. */
export const SAMPLE_LOG = fileURLToPath(
  new URL('../samples/k61-4n-odd/dmesg.txt', import.meta.url),
);

/** @returns the version in package.json */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) {
    return String(parsed.version);
  }
  return 'unknown';
}
