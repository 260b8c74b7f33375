/** What the tests of this package share: reading fixtures, and taking a description apart. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseDescription } from '@bootmem/firmware-map';
import type { MachineDescription, ReadOptions } from '@bootmem/firmware-map';

/** Text of a fixture. */
export function fixture(name: string): string {
  return readFileSync(fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url)), 'utf8');
}

/** The description of a text that is readable; throws with the reasons when it is not. */
export function describe(text: string | Uint8Array, options: ReadOptions = {}): MachineDescription {
  const read = parseDescription(text, options);
  if (read.ok) return read.description;
  throw new Error(read.problems.map(({ message }) => message).join('; '));
}

/** The description of lines after a banner, with a map so that they are worth reading. */
export function describeLines(...lines: readonly string[]): MachineDescription {
  return describe(
    [
      'Linux version 6.12.0 (user@host) #1 SMP',
      'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
      ...lines,
    ].join('\n'),
  );
}

/** Codes of the problems. */
export function codes({ problems }: MachineDescription): string[] {
  return problems.map(({ code }) => code);
}

/** A copy without line numbers, problems and source: what the machine is, not where it was read. */
export function withoutLines(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutLines);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key]) => !['line', 'problems', 'source'].includes(key),
  );
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutLines(item)]));
}
