/**
 * Where in a JSON text values stand: only used to give complaints their lines, so it walks the text once from the start,
 * for all of them, and trusts that it parses.
 */

import { isStep, STEP_CHARACTERS } from '../base/steps.js';
import type { Steps } from '../base/steps.js';

/** Line (1-based) of an offset of a text. */
export function* lineOfOffset(text: string, offset: number): Steps<number> {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    if (isStep(line)) yield;
    line++;
  }
  return line;
}

/** Names and indices from the top. */
export type JsonPath = readonly (string | number)[];

/**
 * Lines of the values at paths; of the innermost value that exists, where a path leads nowhere. O(text), however many paths.
 * @param text   JSON that parses
 * @param paths  any, in any order
 */
export function* linesOfPaths(text: string, paths: readonly JsonPath[]): Steps<number[]> {
  const offsets = paths.map(() => 0);
  yield* locate(
    { text, offsets, paused: 0 },
    skipBlanks(text, 0),
    paths.map((path, index) => ({ path, index, depth: 0 })),
  );
  // Lines are counted once, from offset to offset.
  const lines = paths.map(() => 0);
  let [line, at] = [1, text.indexOf('\n')];
  for (const index of [...offsets.keys()].sort((a, b) => offsets[a]! - offsets[b]!)) {
    for (; at >= 0 && at < offsets[index]!; at = text.indexOf('\n', at + 1)) {
      if (isStep(line)) yield;
      line++;
    }
    lines[index] = line;
  }
  return lines;
}

/** A path that leads on. */
interface Wanted {
  readonly path: JsonPath;
  /** Of the path among all. */
  readonly index: number;
  /** Steps that are done. */
  readonly depth: number;
}

/** A text that is walked, and what was found. */
interface Walk {
  readonly text: string;
  readonly offsets: number[];
  /** Where the walk yielded last. */
  paused: number;
}

/** Notes where wanted values begin that lie in the one at `at`; returns the first offset after it. */
function* locate(walk: Walk, at: number, wanted: readonly Wanted[]): Steps<number> {
  const { text, offsets } = walk;
  const steps = new Map<string, Wanted[]>();
  for (const { path, index, depth } of wanted) {
    offsets[index] = at;
    if (depth === path.length) continue;
    // Indices and names cannot meet: a value is a list or an object.
    const key = String(path[depth]);
    const next = { path, index, depth: depth + 1 };
    steps.set(key, [...(steps.get(key) ?? []), next]);
  }
  const isList = text[at] === '[';
  if (steps.size === 0 || (!isList && text[at] !== '{')) return yield* endOfValue(walk, at);
  let next = skipBlanks(text, at + 1);
  for (let passed = 0; next < text.length && text[next] !== ']' && text[next] !== '}'; passed++) {
    let key = String(passed);
    if (!isList) {
      const end = endOfString(text, next);
      key = JSON.parse(text.slice(next, end)) as string;
      next = skipBlanks(text, skipBlanks(text, end) + 1);
    }
    const inner = steps.get(key);
    next = inner === undefined ? yield* endOfValue(walk, next) : yield* locate(walk, next, inner);
    next = skipBlanks(text, next);
    if (text[next] === ',') next = skipBlanks(text, next + 1);
  }
  return next + 1;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++;
  return at;
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

// First offset after the value that starts at `from`.
function* endOfValue(walk: Walk, from: number): Steps<number> {
  const { text } = walk;
  if (from - walk.paused >= STEP_CHARACTERS) {
    walk.paused = from;
    yield;
  }
  if (text[from] === '"') return endOfString(text, from);
  if (text[from] !== '{' && text[from] !== '[') {
    let at = from;
    while (at < text.length && !',]} \t\r\n'.includes(text[at]!)) at++;
    return at;
  }
  let depth = 0;
  let at = from;
  do {
    const char = text[at]!;
    if (at - walk.paused >= STEP_CHARACTERS) {
      walk.paused = at;
      yield;
    }
    if (char === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    at++;
  } while (depth > 0 && at < text.length);
  return at;
}
