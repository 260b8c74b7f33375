/**
 * What holds for every input, however odd: no exception, results that fit the schema, ranges that are ranges,
 * problems with a reason and a line, and the same answer whether the input comes whole or in pieces.
 */
import {
  createReader,
  fromJson,
  mergeDescriptions,
  parseDescription,
  toJson,
} from '@bootmem/firmware-map';
import { deriveMemory } from '@bootmem/firmware-map/derive';
import type { Problem, ReadResult } from '@bootmem/firmware-map';
import type { DerivedMemory } from '@bootmem/firmware-map/derive';
import type { Random } from '../../kit/random.mjs';

/** Throws with a reason when something does not hold. */
export function checkInput(input: string | Uint8Array, random: Random): void {
  const result = parseDescription(input, { name: 'fuzz' });
  if (random.once(8)) comparePieces(input, result, random);
  if (!result.ok) {
    checkProblems(result.problems);
    demand(
      result.problems.some(({ severity }) => severity === 'error'),
      'refused without an error',
    );
    return;
  }
  const { description } = result;
  checkProblems(description.problems);
  const text = toJson(description);
  const again = fromJson(text);
  if (!again.ok) throw new Error(`its JSON is refused: ${again.problems[0]!.message}`);
  demand(toJson(again.description) === text, 'changed on the way through JSON');
  for (const from of ['auto', 'firmware', 'early-ranges'] as const) {
    checkDerived(deriveMemory(description, { from }));
  }
  const merged = mergeDescriptions(description, description);
  demand(merged.firmware.map.length === description.firmware.map.length, 'merging doubled a list');
}

function comparePieces(input: string | Uint8Array, whole: ReadResult, random: Random): void {
  const reader = createReader({ name: 'fuzz' });
  for (let at = 0; at < input.length;) {
    const length = 1 + random.below(64);
    reader.push(input.slice(at, at + length));
    at += length;
  }
  const pieces = reader.finish();
  demand(
    JSON.stringify(pieces) === JSON.stringify(whole),
    'pieces give another result than the whole',
  );
}

function checkProblems(problems: readonly Problem[]): void {
  for (const { line, message } of problems) {
    demand(Number.isSafeInteger(line) && line >= 0, `a problem with line ${line}`);
    demand(message.length > 5, 'a problem without a reason');
  }
}

function checkDerived(derived: DerivedMemory): void {
  let end = 0;
  for (const range of derived.memory) {
    demand(range.start >= end, 'memory out of order or overlapping');
    demand(range.end > range.start, 'an empty range of memory');
    const isWhole = range.start % derived.pageSize === 0 && range.end % derived.pageSize === 0;
    demand(isWhole, 'memory that is not whole pages');
    demand(
      Number.isSafeInteger(range.nid) && range.nid >= 0 && range.nid < 1024,
      'a node that cannot be',
    );
    end = range.end;
  }
  for (const range of derived.persistent) demand(range.end > range.start, 'an empty device range');
  for (const { nid } of derived.memory) {
    const isOnline = derived.nodes.some((node) => node.nid === nid && node.hasMemory);
    demand(isOnline, 'memory on a node that is not online');
  }
  checkProblems(derived.problems);
}

function demand(fact: boolean, otherwise: string): void {
  if (!fact) throw new Error(otherwise);
}
