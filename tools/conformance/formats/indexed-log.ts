/**
 * A log against its line of the index. The index was counted by other means, so its figures are taken as they are;
 * where it says of itself that it could not count (`sum_check: false`, wrapped logs), the total comparison is left out.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fromJson, parseDescription, toJson } from '@bootmem/firmware-map';
import { deriveMemory } from '@bootmem/firmware-map/derive';
import type { MachineDescription } from '@bootmem/firmware-map';
import { Case, type CaseResult } from './case.js';

/** A line of index.jsonl, as far as it is used. */
export interface IndexLine {
  readonly slug: string;
  readonly arch: string;
  readonly kernel: string;
  readonly nr_node_ids: number | null;
  readonly nodes_with_memory: number;
  readonly cpus: number | null;
  readonly truth: readonly string[];
  readonly e820_lines: number;
  readonly early_ranges: number;
  readonly memory: string;
  readonly deferred_lines: number;
  readonly sum_check: boolean;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { riscv: 'riscv64' };

/** What shows that a kind of truth was found. */
const TRUTHS: Readonly<Record<string, (description: MachineDescription) => boolean>> = {
  zone_ranges: ({ printed }) => printed.zoneRanges.length > 0,
  early_node_ranges: ({ printed }) => printed.earlyRanges.length > 0,
  memory_line: ({ printed }) => printed.memory !== undefined,
  unavailable_ranges: ({ printed }) => printed.unavailable.length > 0,
  srat_mem: ({ numa }) => numa.srat.length > 0,
  srat_hotplug: ({ numa }) => numa.srat.some(({ hotplug }) => hotplug),
  srat_nonvolatile: ({ numa }) => numa.srat.some(({ nonVolatile }) => nonVolatile),
  zonelists: ({ printed }) => printed.zonelists !== undefined,
  totalpages: ({ printed }) => printed.nodePages.length > 0,
  allowing_cpus: ({ cpus }) => cpus.possible !== undefined,
  efi_map: ({ firmware }) => firmware.efi.length > 0,
  user_map: ({ firmware }) => firmware.user.length > 0,
  modified_map: ({ firmware }) => firmware.modified.length > 0,
  memblock_debug: ({ memblock }) => memblock.operations.length > 0 || memblock.dumps.length > 0,
  persistent_region: ({ firmware }) =>
    [...firmware.map, ...firmware.user].some(({ kind }) => kind === 'persistent'),
  kdump_cmdline: ({ commandLine }) => commandLine !== undefined,
};

/** Reads a log and compares it with its index line. */
export function checkIndexedLog(path: string, index: IndexLine): CaseResult {
  const test = new Case(basename(path));
  const bytes = readFileSync(path);
  const read = parseDescription(bytes, { name: basename(path) });
  if (!read.ok) {
    test.equal('readable', 'a description', read.problems[0]?.message);
    return test.result();
  }
  const { description } = read;
  checkFigures(test, description, bytes.toString('latin1'), index);
  for (const truth of index.truth) {
    // The index takes any word with "memblock_" in it for this; lines of memblock=debug have a bracket.
    const isMeant =
      truth !== 'memblock_debug' || /memblock_\w+: +\[/.test(bytes.toString('latin1'));
    if (isMeant) checkTruth(test, description, truth);
  }
  checkErrors(test, description);
  const again = fromJson(toJson(description));
  test.holds(
    'equal after a way through JSON',
    again.ok && toJson(again.description) === toJson(description),
  );
  checkSum(test, description, index);
  return test.result();
}

function checkFigures(
  test: Case,
  description: MachineDescription,
  text: string,
  index: IndexLine,
): void {
  const { printed, firmware, cpus } = description;
  if (index.arch !== '') {
    test.equal('architecture', ARCHITECTURES[index.arch] ?? index.arch, description.architecture);
  }
  test.equal('kernel release', index.kernel, description.kernel?.release ?? '');
  test.equal('map entries', index.e820_lines, firmware.map.length);
  checkEarly(test, printed.earlyRanges.length, text, index);
  test.equal('deferred lines', index.deferred_lines, printed.deferred.length);
  if (index.truth.includes('allowing_cpus')) test.equal('processors', index.cpus, cpus.possible);
  if (index.nr_node_ids !== null) {
    test.holds('node ids', cpus.nodeIds === undefined || cpus.nodeIds === index.nr_node_ids);
  }
  const memory = /^(\d+)[kK]\/(\d+)[kK]/.exec(index.memory);
  if (memory !== null && printed.memory !== undefined) {
    const { availableKb, totalKb } = printed.memory;
    test.equal('Memory: line', [Number(memory[1]), Number(memory[2])], [availableKb, totalKb]);
  }
  if (isUncounted(index)) return;
  const nodes = new Set(printed.earlyRanges.map(({ nid }) => nid)).size;
  test.equal('nodes with memory', index.nodes_with_memory, nodes);
}

// Where its own counting of a wrapped log came to nothing, the index knows so.
function isUncounted(index: IndexLine): boolean {
  return index.early_ranges === 0 && !index.sum_check;
}

// The index counts lines, an empty range too.
function checkEarly(test: Case, found: number, text: string, index: IndexLine): void {
  if (isUncounted(index)) return;
  const empty = text.match(/ \d+: +(0x[0-9a-f]+|\d+) +-> +\1\s*$/gm)?.length ?? 0;
  test.equal('early ranges', index.early_ranges - empty, found);
}

function checkTruth(test: Case, description: MachineDescription, truth: string): void {
  const deferred = /^deferred:(\d+)$/.exec(truth);
  if (deferred !== null) {
    test.equal('deferred lines', Number(deferred[1]), description.printed.deferred.length);
    return;
  }
  test.holds(`truth "${truth}" found`, TRUTHS[truth]?.(description) ?? false);
}

// Logs of real machines hold no broken records; an error would mean that we misread one.
function checkErrors(test: Case, { problems }: MachineDescription): void {
  const error = problems.find(({ severity }) => severity === 'error');
  test.equal('errors', undefined, error && `line ${error.line}: ${error.message}`);
}

// "early ranges equal the page-trimmed usable ranges"
function checkSum(test: Case, description: MachineDescription, index: IndexLine): void {
  if (!index.sum_check || index.e820_lines === 0) return;
  const { problems } = deriveMemory(description, { from: 'firmware' });
  const error = problems.find(({ severity }) => severity === 'error');
  test.equal('memory derived', undefined, error?.message);
}
