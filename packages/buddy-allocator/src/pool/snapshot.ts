/**
 * Copies of a whole allocator: every buffer, as it is. Relocatable because everything inside is an index
 * or a page number. Restoring into WebAssembly memory is not attempted: the copy gets plain buffers. None of its
 * threads is there when it is restored.
 */
import {
  allocateBuffer,
  checkHandle,
  type HandleFormat,
  MEMMAP_FORMAT,
} from '@bootmem/memmap/shared';

import { checkAllocatorHandle, handleError } from '../base/handle.js';
import { keepLocal } from '../base/local.js';
import type { BuddyHandle, BuddySnapshot } from './pool-types.js';
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

function copy(from: ArrayBufferLike, offset = 0, length = from.byteLength - offset): ArrayBuffer {
  const bytes = new Uint8Array(length);
  bytes.set(new Uint8Array(from, offset, length));
  return bytes.buffer;
}

function place(from: ArrayBuffer, shared: boolean): ArrayBufferLike {
  const buffer = allocateBuffer(from.byteLength, shared);
  new Uint8Array(buffer).set(new Uint8Array(from));
  return buffer;
}

/** Whole words of a copy: what is cut off within one is told with its length. */
function wordsOf(from: ArrayBuffer, shared: boolean): Int32Array {
  return new Int32Array(place(from, shared), 0, from.byteLength >>> 2);
}

/**
 * Copies the buffers of an allocator.
 * @param dataBytes  bytes of the managed memory; 0 leaves it out
 */
export function snapshotBuffers(handle: BuddyHandle, dataBytes: number): BuddySnapshot {
  const { table, columns } = handle.memmap;
  const pages = columns.refs.byteLength / 4;
  return {
    type: 'bootmem.buddy-snapshot',
    table: copy(table),
    bytes: copy(columns.bytes, 0, 2 * pages),
    links: copy(columns.links),
    refs: copy(columns.refs),
    control: copy(handle.control.buffer),
    threads: copy(handle.threads.words.buffer),
    data:
      dataBytes > 0 && handle.data !== null
        ? copy(handle.data, handle.dataOffset, dataBytes)
        : null,
    shared: columns.kind !== 'local',
  };
}

/**
 * Handle over copies of the snapshot's buffers, in order and without threads.
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
    data: snapshot.data === null ? null : place(snapshot.data, shared),
    dataOffset: 0,
  };
  keepLocal(handle);
  checkAllocatorHandle(handle);
  settleContents(handle);
  return handle;
}
