/**
 * Copies of a whole allocator: every buffer, as it is. Relocatable because everything inside is an index
 * or a page number, so the managed memory may come back as a buffer of its own or in memory of the caller's. None of its
 * threads is there when it is restored.
 *
 *     data   pages that are online ─▶ copied ─▶ a buffer with room for all pages there can be, or the place that is given
 */
import { Memmap } from '@bootmem/memmap';
import {
  allocateBuffer,
  checkHandle,
  type HandleFormat,
  MEMMAP_FORMAT,
} from '@bootmem/memmap/shared';

import { refuse } from '../../base/check.js';
import { ControlFlag, Header, Zone, zoneAt } from '../../base/control-layout.js';
import { checkAllocatorHandle, handleError, pfnAt } from '../../base/handle.js';
import { keepLocal } from '../../base/local.js';
import { copyBytes, PageData } from '../../base/page-data.js';
import { growWhole } from '../../base/wasm-memory.js';
import { checkDataOffset, placeIn, type PoolSize } from '../pool-setup.js';
import type { BuddyHandle, BuddySnapshot } from '../pool-types.js';
import { settleContents } from './snapshot-check.js';

/** The buffers are there; their sizes are checked as those of a handle, once they are copied. */
const SNAPSHOT_FORMAT: HandleFormat = {
  ...MEMMAP_FORMAT,
  type: 'bootmem.buddy-snapshot',
  needs: (_, { data, shared }) => {
    if (typeof shared !== 'boolean') return 'shared is neither true nor false';
    const fields = ['table', 'bytes', 'links', 'refs', 'control', 'threads'];
    if (data !== null) fields.push('data');
    return fields.map((field) => ({ field, bytes: 0 }));
  },
};

function copy(from: ArrayBufferLike, length = from.byteLength): ArrayBuffer {
  const to = new ArrayBuffer(length);
  copyBytes(from, 0, to, 0, length);
  return to;
}

function place(
  from: ArrayBuffer,
  shared: boolean,
  {
    offset = 0,
    bytes = from.byteLength,
  }: { readonly offset?: number; readonly bytes?: number } = {},
): ArrayBufferLike {
  const buffer = allocateBuffer(offset + bytes, shared);
  copyBytes(from, 0, buffer, offset, from.byteLength);
  return buffer;
}

/** Page size and sizes in pages of the pool that control words and descriptors are of. */
function sizeOf({ control, memmap }: BuddyHandle): PoolSize {
  const at = zoneAt(0);
  return {
    pages: control[at + Zone.PRESENT]!,
    maxPages: pfnAt(control, at + Zone.END_LOW),
    pageSize: 2 ** Memmap.attach(memmap).geometry.pageShift,
  };
}

/** Whole words of a copy: what is cut off within one is told with its length. */
function wordsOf(from: ArrayBuffer, shared: boolean): Int32Array {
  return new Int32Array(place(from, shared), 0, from.byteLength >>> 2);
}

/**
 * Copies the buffers of an allocator.
 * @param data  copy of the managed memory; undefined leaves it out
 */
export function snapshotBuffers(handle: BuddyHandle, data: ArrayBuffer | undefined): BuddySnapshot {
  const { table, columns } = handle.memmap;
  const pages = columns.refs.byteLength / 4;
  return {
    type: 'bootmem.buddy-snapshot',
    table: copy(table),
    bytes: copy(columns.bytes, 2 * pages),
    links: copy(columns.links),
    refs: copy(columns.refs),
    control: copy(handle.control.buffer),
    threads: copy(handle.threads.words.buffer),
    data: data ?? null,
    shared: columns.kind !== 'local',
  };
}

/** Memory of the caller's that a pool is restored into. */
export interface RestorePlace {
  readonly data?: unknown;
  readonly dataOffset?: unknown;
}

/**
 * Handle over copies of the snapshot's buffers, in order and without threads; without the managed memory, for which
 * {@link placeData} finds a place once all else is known to be sound.
 * @throws ERR_BUDDY_HANDLE for something else, and for one whose contents cannot be
 */
export function restoreBuffers(snapshot: BuddySnapshot): BuddyHandle {
  checkHandle(snapshot, SNAPSHOT_FORMAT, handleError);
  const { shared } = snapshot;
  const handle: BuddyHandle = {
    type: 'bootmem.buddy-allocator',
    memmap: {
      type: 'bootmem.memmap',
      table: place(snapshot.table, shared),
      columns: {
        kind: shared ? 'shared' : 'local',
        memory: undefined,
        bytes: place(snapshot.bytes, shared),
        links: place(snapshot.links, shared),
        refs: place(snapshot.refs, shared),
      },
    },
    control: wordsOf(snapshot.control, shared),
    threads: { type: 'bootmem.thread-registry', words: wordsOf(snapshot.threads, shared) },
    data: null,
    dataOffset: 0,
  };
  keepLocal(handle);
  checkAllocatorHandle(handle);
  settleContents(handle, snapshot.data);
  return handle;
}

/**
 * The same pool with its managed memory: in a buffer of its own, or in a given place. What the snapshot has of it is copied there;
 * if it has nothing, what is in the given place stays, and counts as used.
 * @throws ERR_BUDDY_ARGUMENT when the place is none, or too small, or its poison is not in the snapshot; nothing has changed
 */
export function placeData(
  handle: BuddyHandle,
  snapshot: BuddySnapshot,
  { data, dataOffset = 0 }: RestorePlace,
): BuddyHandle {
  const { control } = handle;
  const size = sizeOf(handle);
  if (data === undefined) {
    checkDataOffset(dataOffset, size.pageSize);
    if (snapshot.data === null) return dataOffset === 0 ? handle : { ...handle, dataOffset };
    const room = { offset: dataOffset, bytes: size.maxPages * size.pageSize };
    const whole = { ...handle, data: place(snapshot.data, snapshot.shared, room), dataOffset };
    keepLocal(whole);
    return whole;
  }
  if (snapshot.data === null && (control[Header.FLAGS]! & ControlFlag.POISON) !== 0) {
    refuse('data', 'none for a poisoned pool without its data', undefined);
  }
  const placed = { ...handle, ...placeIn(data, dataOffset, size, growWhole) };
  const memory = new PageData(placed.data!, placed.dataOffset, size.pageSize);
  if (snapshot.data !== null) memory.write(snapshot.data);
  // Of pages that were never handed out, nothing is known here.
  control[Header.FLAGS] = control[Header.FLAGS]! & ~ControlFlag.ZEROED;
  keepLocal(placed);
  return placed;
}
