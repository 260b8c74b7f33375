/**
 * Threads that can be ended at any point where the engine ends them.
 *
 * V8 looks for a request to terminate where a function begins and where a loop goes back, never between two plain
 * statements (DESIGN.md, "Where a thread can end"). So the built code is copied, and each such point asks a clock:
 *
 *     function f(a) { … }              function f(a) { point(); … }
 *     while (test) …, for (; test; ) … while ((point(), (test))) …
 *     g(a), [a], { a }                 (point(), g(a))            builtins and allocations: stricter than the engine
 *     catch (e) { … }, finally { … }   skipped once dead: a terminated thread runs no code of its own any more
 *
 * Copies of this package and of memmap lie in a folder of their own, where they find each other and no others.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseSync } from '@swc/core';

import type { BuddyAllocator } from '../../dist/index.js';
import type { PageAllocator } from '../../dist/machine.js';
import type { ObjectCache } from '../../dist/objects.js';

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url));

const CLOCK = `
/** \`at\` counts points from 1; \`once\`: an exception as user code could see it instead of an end. */
export const clock = {
  running: false, count: 0, at: Infinity, once: false, dead: false, onPoint: undefined,
};
export class Killed extends Error {}
const killed = new Killed('killed');
export function point(always) {
  if (!clock.running) return;
  if (clock.dead) throw killed;
  clock.count++;
  clock.onPoint?.(clock.count, always === true);
  if (clock.count !== clock.at) return;
  if (clock.once) throw new RangeError('Maximum call stack size exceeded');
  clock.dead = true;
  throw killed;
}
export function passOn(error) { if (clock.running && clock.dead) throw killed; }
export const alive = () => !(clock.running && clock.dead);
`;

interface Node {
  readonly type: string;
  readonly span: { readonly start: number; readonly end: number };
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && 'span' in value;

/** The source with a question at each point. */
function instrument(source: string, clockUrl: string): string {
  // An empty statement in front: spans count from the first token, across all files that were parsed before.
  const text = Buffer.from(`;${source}`);
  const tree = parseSync(text.toString(), {
    syntax: 'ecmascript',
    target: 'es2022',
  }) as unknown as Node & { readonly body: readonly Node[] };
  const base = tree.body[0]!.span.start;
  const opens = new Map<number, string[]>();
  const closes = new Map<number, string[]>();
  const put = (where: Map<number, string[]>, at: number, what: string): void => {
    where.set(at - base, [...(where.get(at - base) ?? []), what]);
  };
  const isBlock = ({ span }: Node): boolean => text[span.start - base] === 0x7b;
  const begin = (node: Node, what: string): void => {
    if (isBlock(node)) put(opens, node.span.start + 1, what);
    else put(opens, node.span.start, `{${what}`);
  };
  const finish = (node: Node): void => {
    if (!isBlock(node)) put(closes, node.span.end, '}');
  };
  const wrap = (node: Node, visitInside: () => void): void => {
    put(opens, node.span.start, '(__point(),(');
    visitInside();
    put(closes, node.span.end, '))');
  };
  const children = (node: Node, inChain: boolean): void => {
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
        const inner = (child as { expression?: unknown } | null)?.expression;
        if (isNode(child)) visit(child, inChain);
        // Arguments and elements are `{ spread, expression }`.
        else if (isNode(inner)) visit(inner, false);
        else if (typeof child === 'object' && child !== null) children(child as Node, false);
      }
    }
  };
  const body = (node: Node): void => {
    const block = node['body'] as Node | null;
    if (block !== null) begin(block, '__point();');
    children(node, false);
    if (block !== null) finish(block);
  };
  const visit = (node: Node, inChain: boolean): void => {
    switch (node.type) {
      case 'FunctionBody':
        put(opens, node.span.start + 1, '__point();');
        children(node, false);
        return;
      case 'ForOfStatement':
      case 'ForInStatement':
        body(node);
        return;
      case 'ArrowFunctionExpression': {
        const inner = node['body'] as Node;
        for (const parameter of node['params'] as readonly Node[]) visit(parameter, false);
        if (isBlock(inner)) {
          if (inner.type !== 'FunctionBody') put(opens, inner.span.start + 1, '__point();');
          visit(inner, false);
        } else {
          wrap(inner, () => {
            visit(inner, false);
          });
        }
        return;
      }
      case 'ForStatement':
      case 'WhileStatement':
      case 'DoWhileStatement': {
        const test = node['test'] as Node | null;
        if (test === null) {
          body(node);
          return;
        }
        put(opens, test.span.start, '(__point(),(');
        children(node, false);
        put(closes, test.span.end, '))');
        return;
      }
      case 'CallExpression': {
        const { type } = node['callee'] as Node;
        if (inChain || type === 'Super' || type === 'Import') children(node, inChain);
        else
          wrap(node, () => {
            children(node, false);
          });
        return;
      }
      case 'NewExpression':
      case 'ArrayExpression':
      case 'ObjectExpression':
        wrap(node, () => {
          children(node, false);
        });
        return;
      case 'OptionalChainingExpression':
      case 'MemberExpression':
        children(node, inChain || node.type === 'OptionalChainingExpression');
        return;
      case 'TryStatement': {
        const handler = node['handler'] as { body: Node } | null;
        const finalizer = node['finalizer'] as Node | null;
        if (handler !== null) put(opens, handler.body.span.start + 1, '__passOn();');
        if (finalizer !== null) put(opens, finalizer.span.start + 1, 'if (__alive()) {');
        children(node, false);
        if (finalizer !== null) put(closes, finalizer.span.end - 1, '}');
        return;
      }
      default:
        children(node, false);
    }
  };
  visit(tree, false);
  const parts: string[] = [
    `import { point as __point, passOn as __passOn, alive as __alive } from '${clockUrl}';`,
  ];
  let from = 0;
  for (const at of [...new Set([...opens.keys(), ...closes.keys()])].sort((a, b) => a - b)) {
    parts.push(text.subarray(from, at).toString());
    parts.push(...(closes.get(at) ?? []), ...(opens.get(at) ?? []));
    from = at;
  }
  parts.push(text.subarray(from).toString());
  return parts.join('');
}

/** The clock of all points. */
interface Clock {
  running: boolean;
  count: number;
  at: number;
  once: boolean;
  dead: boolean;
  onPoint: ((count: number, always: boolean) => void) | undefined;
}

/** The packages as a thread runs them that may end. */
export interface Mortals {
  readonly BuddyAllocator: typeof BuddyAllocator;
  readonly PageAllocator: typeof PageAllocator;
  readonly ObjectCache: typeof ObjectCache;
  /**
   * Runs `body` until the point `at`, counted from 1.
   * @param once  throws there as a full stack does, once, instead of ending
   * @returns points that were passed; whether it came to its end
   */
  run(body: () => void, at?: number, once?: boolean): { points: number; ended: boolean };
  /**
   * Runs `body` to its end.
   * @param changed  whether anything that others can see has changed since it was called last
   * @param once  as in {@link run}
   * @returns the points at which to end makes a difference
   */
  pointsOf(body: () => void, changed: () => boolean, once?: boolean): number[];
  /** A point in the code of the test itself, such as a callback; always makes a difference. */
  readonly point: () => void;
}

/** A change to a built file, for tests that must see the fault: `find` occurs in it once. */
export interface Break {
  /** Under `dist`. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

function changed(source: string, { file, find, put }: Break): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${find}`);
  return parts.join(put);
}

function copyPackage(
  name: string,
  into: string,
  write: (source: string, file: string) => string,
): void {
  const from = join(PACKAGES, name);
  const to = join(into, 'node_modules', '@bootmem', name);
  mkdirSync(to, { recursive: true });
  cpSync(join(from, 'package.json'), join(to, 'package.json'));
  for (const file of readdirSync(join(from, 'dist'), { recursive: true }) as string[]) {
    const path = join(from, 'dist', file);
    if (!file.endsWith('.js') || statSync(path).isDirectory()) continue;
    mkdirSync(dirname(join(to, 'dist', file)), { recursive: true });
    writeFileSync(join(to, 'dist', file), write(readFileSync(path, 'utf8'), file));
  }
}

/**
 * Makes the copies and loads them.
 * @param fault  a change to this package's copy; then there are points in this package only: memmap's lock has a model
 *   of its own. `null`: so without a change
 */
export async function loadMortals(fault?: Break | null): Promise<Mortals> {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-kills-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'clock.js'), CLOCK);
    const clockPath = join(folder, 'clock.js');
    copyPackage('memmap', folder, (source) =>
      fault === undefined ? instrument(source, clockPath) : source,
    );
    copyPackage('buddy-allocator', folder, (source, file) =>
      instrument(fault?.file === file ? changed(source, fault) : source, clockPath),
    );
    const dist = join(folder, 'node_modules', '@bootmem', 'buddy-allocator', 'dist');
    const load = (path: string): Promise<unknown> => import(pathToFileURL(path).href);
    const { clock, point, Killed } = (await load(clockPath)) as {
      clock: Clock;
      point: (always: boolean) => void;
      Killed: new () => Error;
    };
    const pool = (await load(join(dist, 'index.js'))) as Pick<Mortals, 'BuddyAllocator'>;
    const machine = (await load(join(dist, 'machine.js'))) as Pick<Mortals, 'PageAllocator'>;
    const objects = (await load(join(dist, 'objects.js'))) as Pick<Mortals, 'ObjectCache'>;
    const run: Mortals['run'] = (body, at = Infinity, once = false) => {
      Object.assign(clock, { running: true, count: 0, at, once, dead: false });
      let ended = true;
      try {
        body();
      } catch (error) {
        const wanted = once ? error instanceof RangeError : error instanceof Killed;
        if (!wanted) throw error;
        ended = false;
      } finally {
        clock.running = false;
      }
      return { points: clock.count, ended };
    };
    return {
      BuddyAllocator: pool.BuddyAllocator,
      PageAllocator: machine.PageAllocator,
      ObjectCache: objects.ObjectCache,
      run,
      pointsOf(body, changed, once = false) {
        const points: number[] = [];
        clock.onPoint = (count, always) => {
          if (changed() || always || count === 1) points.push(count);
        };
        try {
          run(body, Infinity, once);
        } finally {
          clock.onPoint = undefined;
        }
        return points;
      },
      point: () => {
        // A callback that throws has not moved anything, its author says.
        if (!clock.once) point(true);
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
