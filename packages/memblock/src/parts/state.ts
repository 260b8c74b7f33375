/**
 * The whole state as plain data, back into an object, and checked.
 */
import { cappedEnd } from '../base/arithmetic.js';
import {
  checkBytes,
  checkFlags,
  checkKind,
  checkList,
  checkNode,
  checkObject,
} from '../base/checks.js';
import { MemblockError } from '../base/errors.js';
import { hexRange } from '../base/notation.js';
import type { MemblockState, MemRegion } from '../base/types.js';
import type { MemblockCore } from '../core/core.js';
import { packAttr } from '../list/attributes.js';
import { EntryBuffer } from '../list/entry-buffer.js';
import type { RegionList } from '../list/region-list.js';
import { verifyList } from '../list/verify-list.js';
import { namedReservations } from './named.js';
import { payloads, setPayload } from './payloads.js';
import { regions } from './walks.js';

const TYPES = ['memory', 'reserved', 'physmem'] as const;

/** The state as plain data. */
export function toState(core: MemblockCore): MemblockState {
  const { memory, reserved } = core;
  const attached = TYPES.flatMap((type) =>
    payloads(core, type).map((range) => ({ type, ...range })),
  );
  return {
    memory: regions(core, 'memory'),
    reserved: regions(core, 'reserved'),
    physmem: regions(core, 'physmem'),
    memoryTotal: memory.total,
    reservedTotal: reserved.total,
    ...(Number.isFinite(memory.max) ? { memoryMax: memory.max } : {}),
    ...(Number.isFinite(reserved.max) ? { reservedMax: reserved.max } : {}),
    direction: core.direction,
    currentLimit: core.limit,
    hasMirror: core.mirrorKnown,
    resizable: core.resizable,
    named: namedReservations(core),
    ...(attached.length > 0 ? { payloads: attached } : {}),
  };
}

/** Gives a fresh object a state. @throws MemblockError ERR_MEMBLOCK_FORMAT when regions overlap, are out of order or empty */
export function loadState(core: MemblockCore, state: MemblockState): void {
  checkShape(state);
  if (state.direction !== undefined) core.setDirection(state.direction);
  if (state.currentLimit !== undefined) core.setLimit(state.currentLimit);
  loadList(core, core.memory, state.memory);
  loadList(core, core.reserved, state.reserved);
  loadList(core, core.physmem, state.physmem ?? []);
  setTotals(core.memory, state.memoryTotal, state.memoryMax);
  setTotals(core.reserved, state.reservedTotal, state.reservedMax);
  setTotals(core.physmem, undefined, undefined);
  core.mirrorKnown = state.hasMirror ?? false;
  if (state.resizable !== undefined) core.resizable = state.resizable;
  for (const entry of state.named ?? []) core.named.push({ ...entry });
  core.unmerged = true;
  for (const { type, base, size, payload } of state.payloads ?? []) {
    setPayload(core, base, size, type, payload);
  }
}

/** @throws MemblockError ERR_MEMBLOCK_ARGUMENT when a part of the state is not of its kind; the numbers are looked at one by one */
function checkShape(state: MemblockState): void {
  checkObject(state, 'state');
  for (const part of [...TYPES, 'named', 'payloads'] as const) {
    const entries: unknown = state[part] ?? (part === 'memory' || part === 'reserved' ? null : []);
    checkList(entries, `state.${part}`);
    for (const entry of entries as unknown[]) checkObject(entry, `state.${part}[]`);
  }
  for (const { name, start, size } of state.named ?? []) {
    checkKind(name, 'state.named[].name', 'string');
    checkBytes(start, 'start');
    checkBytes(size, 'size');
  }
  checkKind(state.hasMirror, 'state.hasMirror', 'boolean');
  checkKind(state.resizable, 'state.resizable', 'boolean');
}

function loadList(core: MemblockCore, list: RegionList, wanted: readonly MemRegion[]): void {
  const { maxNodes, numa } = core.settings;
  const entries = new EntryBuffer();
  let last = 0;
  let sum = 0;
  wanted.forEach(({ base, size, flags, nid }, index) => {
    checkBytes(base, 'base');
    checkBytes(size, 'size');
    checkFlags(flags);
    checkNode(nid, maxNodes);
    const end = cappedEnd(base, size);
    if (size === 0 || base < last || end - base !== size) {
      throw new MemblockError(
        'ERR_MEMBLOCK_FORMAT',
        `${list.name}[${index}] ${hexRange(base, size)} is empty, out of order, overlapping or beyond the top`,
        { type: list.name, index },
      );
    }
    entries.push(base, end, packAttr(flags, numa ? nid : 0));
    last = end;
    sum += size;
  });
  list.replaceAll(entries);
  list.total = sum;
}

function setTotals(list: RegionList, total: number | undefined, max: number | undefined): void {
  const sum = list.total;
  if (total !== undefined) checkBytes(total, 'total');
  list.total = total ?? sum;
  list.drift = list.total - sum;
  if (max !== undefined && Number.isFinite(list.max)) list.max = max;
  if (list.count > list.max) list.max = list.count;
}

/** Checks every invariant. @throws MemblockError ERR_MEMBLOCK_INVARIANT */
export function verify(core: MemblockCore): void {
  core.checkAlive();
  for (const list of [core.memory, core.reserved, core.physmem]) {
    const problem = verifyList(list, core.settings.maxNodes, !core.unmerged);
    if (problem !== undefined) core.fail(`${list.name}: ${problem}`);
  }
}
