import { expect, test } from '@jest/globals';
import { UnacceptedMemory, createPrefaultBackend } from '@bootmem/unaccepted-memory';
import { openBackend } from '@bootmem/unaccepted-memory/platform';
import type { AcceptError, PrefaultOptions } from '@bootmem/unaccepted-memory';

const K = 1024;
const M = K * K;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as AcceptError).code;
  }
  return 'no error';
}

test('touch changes nothing, zero clears what it is given and nothing else', () => {
  for (const fill of ['touch', 'zero'] as const) {
    const arena = new SharedArrayBuffer(1 * M);
    const bytes = new Uint8Array(arena).fill(7);
    createPrefaultBackend({ arena, fill, physBase: 16 * M }).accept(
      16 * M + 64 * K,
      16 * M + 128 * K,
    );
    const kept = bytes.reduce((count, byte) => count + (byte === 7 ? 1 : 0), 0);
    expect(kept).toBe(fill === 'touch' ? 1 * M : 1 * M - 64 * K);
    expect(bytes[64 * K]).toBe(fill === 'touch' ? 7 : 0);
    expect(bytes[128 * K - 1]).toBe(fill === 'touch' ? 7 : 0);
    expect(bytes[128 * K]).toBe(7);
  }
});

test('an arena is prepared a unit at a time and attaches in another thread by its handle', () => {
  const arena = new SharedArrayBuffer(4 * M);
  new Uint8Array(arena).fill(1);
  const backend = createPrefaultBackend({ arena, fill: 'zero' });
  const ranges = [{ start: 0, end: 4 * M }];
  const memory = UnacceptedMemory.create({ ranges, backend, unitSize: 1 * M, guard: false });
  const other = UnacceptedMemory.attach(memory.toHandle());
  other.acceptMemory(1 * M + 5, 10);
  const bytes = new Uint8Array(arena);
  expect([bytes[1 * M - 1], bytes[1 * M], bytes[2 * M - 1], bytes[2 * M]]).toEqual([1, 0, 0, 1]);
  bytes[1 * M] = 9;
  // Accepted memory is in use; accepting it again must not clear it.
  memory.acceptMemory(1 * M, 1 * M);
  expect(bytes[1 * M]).toBe(9);
  expect(memory.unacceptedBytes()).toBe(3 * M);
});

test('without SharedArrayBuffer plain memory does, in one thread', () => {
  const arena = new ArrayBuffer(2 * M);
  const backend = createPrefaultBackend({ arena });
  const memory = UnacceptedMemory.create({
    ranges: [{ start: 0, end: 2 * M }],
    backend,
    unitSize: 64 * K,
  });
  memory.acceptMemory(0, 2 * M);
  expect(memory.unacceptedBytes()).toBe(0);
});

test('what lies outside the arena, and arenas not in pages, are refused', () => {
  const arena = new SharedArrayBuffer(1 * M);
  const backend = createPrefaultBackend({ arena, physBase: 1 * M });
  for (const [start, end] of [
    [0, 4 * K],
    [2 * M - 4 * K, 2 * M + 4 * K],
    [1 * M + 1, 1 * M + 4 * K],
  ] as const) {
    expect(
      codeOf(() => {
        backend.accept(start, end);
      }),
    ).toBe('ERR_ACCEPT_ARGUMENT');
  }
  for (const options of [
    { arena: new SharedArrayBuffer(100) },
    { arena, physBase: 5 },
    { arena, physBase: -4096 },
    { arena, granularity: 100 },
  ] satisfies PrefaultOptions[]) {
    expect(codeOf(() => createPrefaultBackend(options))).toBe('ERR_ACCEPT_ARGUMENT');
  }
  expect(openBackend(backend.toHandle()).repeatable).toBe('concurrently');
});

test('an edge of the map that the backend refuses is an error of create', () => {
  const backend = createPrefaultBackend({ arena: new SharedArrayBuffer(1 * M) });
  expect(
    codeOf(() => UnacceptedMemory.create({ ranges: [{ start: 8 * M, end: 9 * M }], backend })),
  ).toBe('ERR_ACCEPT_FAILED');
});
