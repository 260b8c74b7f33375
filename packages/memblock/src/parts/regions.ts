/**
 * What edits the three region lists: add, reserve, remove, free, mark, clear, set node; and adding many
 * ranges at once.
 *
 * Regions that exist always win: adding over them changes neither their node nor their flags, only
 * the gaps are filled. Removing what is not there is no mistake.
 *
 * Source: Documentation/core-api/boot-time-mm.rst.
 */
import { cappedEnd, pageDown, pageUp } from '../base/arithmetic.js';
import { checkBytes, checkFlags, checkList, checkNode, checkObject } from '../base/checks.js';
import { MemFlags, NO_NODE, PHYS_ADDR_MAX } from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import { hexRange } from '../base/notation.js';
import type { RangeColumns, RegionAttributes, RegionType } from '../base/types.js';
import type { MemblockCore } from '../core/core.js';
import { addRange, cutRange, reserveRange, rewriteRange } from '../core/edits.js';
import { packAttr } from '../list/attributes.js';
import type { RegionList } from '../list/region-list.js';
import { mergedUnion, sortedRanges } from '../list/union.js';
import { addWith } from './payloads.js';

/** Registers RAM. */
export function add(
  core: MemblockCore,
  base: number,
  size: number,
  attributes: RegionAttributes | undefined,
): boolean {
  if (attributes?.payload !== undefined) {
    const { payload, ...others } = attributes;
    return addWith(core, core.memory, { base, size, payload }, () =>
      add(core, base, size, orNone(others)),
    );
  }
  core.checkEdit(base, size);
  const { maxNodes, debug } = core.settings;
  const attr = attributesOf(core, attributes, maxNodes);
  if (debug) {
    const node =
      attributes === undefined
        ? ''
        : ` nid=${attributes.nid ?? maxNodes} flags=${(attributes.flags ?? 0).toString(16)}`;
    const name = attributes === undefined ? 'memblock_add' : 'memblock_add_node';
    core.debugLine(`${name}: ${hexRange(base, size)}${node}`);
  }
  return addRange(core, core.memory, base, size, attr);
}

/** Marks a range as taken. */
export function reserve(
  core: MemblockCore,
  base: number,
  size: number,
  attributes: RegionAttributes | undefined,
): boolean {
  if (attributes?.payload !== undefined) {
    const { payload, ...others } = attributes;
    return addWith(core, core.reserved, { base, size, payload }, () =>
      reserve(core, base, size, orNone(others)),
    );
  }
  core.checkEdit(base, size);
  const nid = core.plainReserveNode;
  const attr = attributesOf(core, attributes, nid);
  return reserveRange(core, base, size, attr, attributes?.nid ?? nid);
}

/** Registers a range in the third list. */
export function addPhysmem(core: MemblockCore, base: number, size: number): boolean {
  core.checkEdit(base, size);
  core.debugRange('memblock_physmem_add', base, size);
  const attr = attributesOf(core, undefined, core.settings.maxNodes);
  return addRange(core, core.physmem, base, size, attr);
}

/** Takes a range out of RAM. */
export function remove(core: MemblockCore, base: number, size: number): boolean {
  core.checkEdit(base, size);
  core.debugRange('memblock_remove', base, size);
  return cutRange(core, core.memory, base, size);
}

/** Gives a taken range back. */
export function free(core: MemblockCore, base: number, size: number): boolean {
  core.checkEdit(base, size);
  core.debugRange('memblock_phys_free', base, size);
  const { pageSize, profile } = core.settings;
  if (core.late !== undefined && profile.lateFreeReleases) {
    const startPfn = pageUp(base, pageSize);
    const endPfn = pageDown(cappedEnd(base, size), pageSize);
    if (startPfn < endPfn) core.late.release?.(startPfn, endPfn);
    return true;
  }
  return cutRange(core, core.reserved, base, size);
}

/** Sets a flag on every region in a range. */
export function mark(core: MemblockCore, base: number, size: number, flag: number): boolean {
  const list = listOfFlag(core, flag);
  core.checkEdit(base, size);
  if (flag === MemFlags.MIRROR) {
    if (!core.settings.mirroredKernelcore) return true;
    core.mirrorKnown = true;
  }
  return rewriteRange(core, list, base, size, { mask: flag, bits: flag });
}

/** Clears a flag on every region in a range. */
export function clear(core: MemblockCore, base: number, size: number, flag: number): boolean {
  const list = listOfFlag(core, flag);
  core.checkEdit(base, size);
  return rewriteRange(core, list, base, size, { mask: flag, bits: 0 });
}

/** Sets the node of every region in a range. */
export function setNode(
  core: MemblockCore,
  base: number,
  size: number,
  type: RegionType,
  nid: number,
): boolean {
  core.checkEdit(base, size);
  checkNode(nid, core.settings.maxNodes);
  const list = core.listOf(type);
  if (!core.settings.numa) return true;
  return rewriteRange(core, list, base, size, { mask: 0, bits: 0, nid });
}

/** Writes "no node" over every region of `memory` and `reserved`. */
export function resetNodes(core: MemblockCore): void {
  core.checkAlive();
  const { maxNodes, profile } = core.settings;
  const nid = profile.resetNode === 'none' ? NO_NODE : maxNodes;
  setNode(core, 0, PHYS_ADDR_MAX, 'memory', nid);
  setNode(core, 0, PHYS_ADDR_MAX, 'reserved', nid);
}

/** {@link add} for many ranges at once. */
export function addMany(
  core: MemblockCore,
  ranges: RangeColumns,
  attributes: RegionAttributes,
): boolean {
  checkObject(attributes, 'attributes');
  return editMany(core, core.memory, ranges, {
    nid: attributes.nid ?? core.settings.maxNodes,
    flags: attributes.flags ?? 0,
    payload: attributes.payload,
  });
}

/** {@link reserve} for many ranges at once. */
export function reserveMany(
  core: MemblockCore,
  ranges: RangeColumns,
  attributes: RegionAttributes,
): boolean {
  checkObject(attributes, 'attributes');
  return editMany(core, core.reserved, ranges, {
    nid: attributes.nid ?? core.plainReserveNode,
    flags: attributes.flags ?? 0,
    payload: attributes.payload,
  });
}

function editMany(
  core: MemblockCore,
  list: RegionList,
  ranges: RangeColumns,
  attributes: Required<RegionAttributes>,
): boolean {
  const { maxNodes, numa, debug } = core.settings;
  const { nid, flags, payload } = attributes;
  checkNode(nid, maxNodes);
  checkFlags(flags);
  core.checkAlive();
  checkObject(ranges, 'columns');
  const { bases, sizes } = ranges;
  for (const column of [bases, sizes])
    if (!ArrayBuffer.isView(column)) checkList(column, 'a column');
  if (bases.length !== sizes.length) {
    throw new MemblockError(
      'ERR_MEMBLOCK_ARGUMENT',
      `as many sizes as bases are needed, got ${bases.length} bases and ${sizes.length} sizes`,
    );
  }
  for (let k = 0; k < bases.length; k++) {
    checkBytes(bases[k]!, 'base');
    checkBytes(sizes[k]!, 'size');
  }
  const asOne = payload === undefined && !core.unmerged && list.drift === 0;
  if (debug || Number.isFinite(list.max) || !asOne) {
    // A simulated array grows at a point of its own; each range must be seen.
    const editOne = list === core.memory ? add : reserve;
    for (let k = 0; k < bases.length; k++) {
      if (!editOne(core, bases[k]!, sizes[k]!, attributes)) return false;
    }
    return true;
  }
  const attr = packAttr(flags, numa ? nid : 0);
  const union = mergedUnion(list, sortedRanges(bases, sizes), attr);
  list.replaceAll(union.entries);
  list.total += union.added;
  return true;
}

/** Attributes without a payload, or none: the texts of the kernel are the same with a payload and without. */
function orNone(attributes: RegionAttributes): RegionAttributes | undefined {
  return attributes.nid === undefined && attributes.flags === undefined ? undefined : attributes;
}

/** Node and flags of a new region as a word. */
function attributesOf(
  core: MemblockCore,
  attributes: RegionAttributes | undefined,
  nid: number,
): number {
  const { maxNodes, numa } = core.settings;
  if (attributes !== undefined) {
    checkObject(attributes, 'attributes');
    if (attributes.nid !== undefined) checkNode(attributes.nid, maxNodes);
    if (attributes.flags !== undefined) checkFlags(attributes.flags);
  }
  return packAttr(attributes?.flags ?? 0, numa ? (attributes?.nid ?? nid) : 0);
}

function listOfFlag(core: MemblockCore, flag: number): RegionList {
  const known = flag > 0 && flag <= MemFlags.KHO_SCRATCH && (flag & (flag - 1)) === 0;
  if (!known || !Number.isInteger(flag)) {
    throw new MemblockError(
      'ERR_MEMBLOCK_ARGUMENT',
      `flag must be one bit of MemFlags, got ${String(flag)}`,
      { flag },
    );
  }
  return flag === MemFlags.RSRV_NOINIT || flag === MemFlags.RSRV_KERN ? core.reserved : core.memory;
}
