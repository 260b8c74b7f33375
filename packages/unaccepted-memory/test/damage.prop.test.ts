/**
 * Handles and tables that were damaged on the way: whatever word is flipped, attaching is refused with a code, or the
 * object goes on and everything it is asked for ends, with a result or with an error that has a code.
 */
import { expect, test } from '@jest/globals';
import { UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import type {
  AcceptPort,
  UnacceptedMemoryHandle,
  ZoneAcceptorHandle,
} from '@bootmem/unaccepted-memory';
import { checkingPlatform } from './support/checking-platform.js';

const UNIT = 64 * 1024;
const UNITS = 40;

/** What a flipped word becomes. */
const FLIPS: readonly ((word: number) => number)[] = [
  () => 0,
  () => -1,
  () => 2 ** 31 - 1,
  (word) => word ^ 1,
  (word) => word ^ 0x8000_0000,
  (word) => word ^ 0x0101_0100,
  (word) => word + 1,
];

const port: AcceptPort = {
  parkUnaccepted: () => undefined,
  takeUnaccepted: () => undefined,
  takeUnacceptedAt: () => false,
  freeAccepted: () => false,
  unacceptedPages: () => 0,
  acceptState: () => ({ promo: 0, acceptedFree: 0, unusable: 0 }),
};

/** A state in the middle of its life: units accepted, shared, in doubt, a slot of a thread that ended. */
function state(granularity = Number.MAX_SAFE_INTEGER): UnacceptedMemory {
  const platform = { ...checkingPlatform((UNITS * UNIT) / 4096, UNIT), granularity };
  const memory = UnacceptedMemory.create({
    ranges: [{ start: 0, end: UNITS * UNIT }],
    backend: platform,
    unitSize: UNIT,
    participants: 3,
    waitLimitMs: 3,
  });
  memory.acceptExactly(0, 8 * UNIT);
  memory.convert(2 * UNIT, 4 * UNIT, 'shared');
  const other = UnacceptedMemory.attach(memory.toHandle(), {
    backend: {
      ...platform,
      accept: () => {
        throw new Error('no');
      },
    },
  });
  codeOf(() => other.acceptExactly(12 * UNIT, UNIT));
  memory.reclaim([other.participant]);
  memory.reserveParticipant();
  return memory;
}

/** Code of what was thrown; '' for nothing; an error without a code is a failure. */
function codeOf(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (typeof code !== 'string') throw error;
    return code;
  }
}

/** Asks an object for everything that it does. */
function askAll(memory: UnacceptedMemory): void {
  const end = UNITS * UNIT;
  for (const act of [
    () => memory.unacceptedBytes(),
    () => memory.firstUnaccepted(0, end),
    () => memory.unitState(2 * UNIT),
    () => memory.stateRuns({ start: 0, end }),
    () => memory.acceptingRanges(),
    () => memory.containsUnaccepted(0, end),
    () => memory.containsShared(0, end),
    () => memory.isAlive(1, true),
    () => memory.findEnded(),
    () => memory.advance(20 * UNIT, 4 * UNIT, 1),
    () => memory.acceptMemory(9 * UNIT, 2 * UNIT),
    () => memory.acceptExactly(10 * UNIT, 4 * UNIT),
    () => {
      memory.convert(0, UNIT, 'shared');
    },
    () => {
      memory.convert(2 * UNIT, 3 * UNIT, 'private');
    },
    () => memory.reserveParticipant(),
    () => memory.reclaim([2]),
    () => memory.exportTable(),
    () => memory.handOver(),
    () => {
      memory.close();
    },
  ]) {
    codeOf(act);
  }
}

function copyOf(buffer: ArrayBufferLike): SharedArrayBuffer {
  return (buffer as SharedArrayBuffer).slice(0);
}

/** Attaches to a copy of a handle with one word changed, in its buffer or in its registry. */
function damaged(
  memory: UnacceptedMemory,
  where: 'buffer' | 'threads',
  change: (words: Int32Array) => void,
): UnacceptedMemory {
  const handle = memory.toHandle();
  const buffer = copyOf(handle.buffer);
  const { words } = handle.threads;
  const threads = { ...handle.threads, words: new Int32Array(copyOf(words.buffer)) };
  change(where === 'buffer' ? new Int32Array(buffer) : threads.words);
  const copy: UnacceptedMemoryHandle = { ...handle, buffer, threads };
  return UnacceptedMemory.attach(copy, { backend: memory.backend });
}

test.each([Number.MAX_SAFE_INTEGER, UNIT / 4])(
  'every word of an accept state and of its registry, pieces of %i bytes',
  (granularity) => {
    let refused = 0;
    let attached = 0;
    for (const where of ['buffer', 'threads'] as const) {
      const memory = state(granularity);
      const handle = memory.toHandle();
      const bytes = where === 'buffer' ? handle.buffer.byteLength : handle.threads.words.byteLength;
      for (let at = 0; at < Math.floor(bytes / 4); at += 1) {
        for (const flip of FLIPS) {
          const code = codeOf(() => {
            const copy = damaged(memory, where, (words) => {
              words[at] = flip(words[at]!);
            });
            askAll(copy);
            attached += 1;
          });
          if (code !== '') refused += 1;
          expect(['', 'ERR_ACCEPT_HANDLE', 'ERR_ACCEPT_ARGUMENT']).toContain(code);
        }
      }
    }
    expect(refused).toBeGreaterThan(30);
    expect(attached).toBeGreaterThan(300);
  },
);

test('every byte of a table that was handed over', () => {
  const { table } = state().handOver();
  let refused = 0;
  for (let at = 0; at < table.length; at += 1) {
    for (const flip of [0, 0xff, 0x80, 1]) {
      const installed = table.slice();
      installed[at]! ^= flip;
      const code = codeOf(() => {
        const platform = checkingPlatform(1, UNIT);
        askAll(
          UnacceptedMemory.create({
            ranges: [],
            installed,
            backend: { ...platform, accept: () => undefined },
            waitLimitMs: 3,
          }),
        );
      });
      if (code !== '') refused += 1;
      expect(['', 'ERR_ACCEPT_TABLE', 'ERR_ACCEPT_TABLE_VERSION', 'ERR_ACCEPT_ARGUMENT']).toContain(
        code,
      );
    }
  }
  expect(refused).toBeGreaterThan(20);
  for (let length = 0; length < table.length; length += 1) {
    expect(
      codeOf(() =>
        UnacceptedMemory.create({
          ranges: [],
          installed: table.subarray(0, length),
          backend: checkingPlatform(1, UNIT),
        }),
      ),
    ).toBe('ERR_ACCEPT_TABLE');
  }
});

test('every word of a zone acceptor', () => {
  const memory = state();
  const handle = ZoneAcceptor.create({ memory, port }).toHandle();
  const words = handle.inFlight.byteLength / 4;
  for (let at = 0; at < words; at += 1) {
    for (const flip of FLIPS) {
      const inFlight = copyOf(handle.inFlight);
      const view = new Int32Array(inFlight);
      view[at] = flip(view[at]!);
      const copy: ZoneAcceptorHandle = { ...handle, inFlight };
      const code = codeOf(() => {
        const acceptor = ZoneAcceptor.attach(copy, { memory, port });
        for (const act of [
          () => acceptor.inFlightPages(1),
          () => acceptor.condAccept(1, 0, 'empty'),
          () => acceptor.condAccept(1, 0, 'before'),
          () => acceptor.acceptOne(1),
          () => acceptor.acceptBlock(0),
          () => acceptor.reclaim([3]),
          () => acceptor.stats(),
        ]) {
          codeOf(act);
        }
      });
      expect(['', 'ERR_ACCEPT_HANDLE', 'ERR_ACCEPT_ARGUMENT']).toContain(code);
    }
  }
});
