/** What comes over `postMessage` is checked before it is used: junk, foreign and truncated handles have one answer. */
import { describe, expect, test } from '@jest/globals';
import {
  Pacer,
  UnacceptedMemory,
  ZoneAcceptor,
  createPrefaultBackend,
} from '@bootmem/unaccepted-memory';
import type { AcceptError, AcceptPort } from '@bootmem/unaccepted-memory';
import {
  createNoneBackend,
  createSnpModel,
  createTdxModel,
  openBackend,
} from '@bootmem/unaccepted-memory/platform';

const M = 1024 * 1024;

const port: AcceptPort = {
  parkUnaccepted: () => undefined,
  takeUnaccepted: () => undefined,
  takeUnacceptedAt: () => false,
  freeAccepted: () => false,
  unacceptedPages: () => 0,
  acceptState: () => ({ promo: 0, acceptedFree: 0, unusable: 0 }),
};

function newMemory(participants = 4): UnacceptedMemory {
  return UnacceptedMemory.create({
    ranges: [{ start: 0, end: 64 * M }],
    backend: createNoneBackend(),
    participants,
  });
}

const memory = newMemory();
const arena = new SharedArrayBuffer(64 * 1024);

/** Each kind of handle: one that is right, and how to attach to it. */
const kinds: readonly {
  readonly name: string;
  readonly handle: Readonly<Record<string, unknown>>;
  readonly buffers: readonly string[];
  readonly attach: (handle: never) => unknown;
}[] = [
  {
    name: 'accept state',
    handle: { ...memory.toHandle() },
    buffers: ['buffer'],
    attach: (handle) => UnacceptedMemory.attach(handle),
  },
  {
    name: 'zone acceptor',
    handle: { ...ZoneAcceptor.create({ memory, port }).toHandle() },
    buffers: ['inFlight', 'counters'],
    attach: (handle) => ZoneAcceptor.attach(handle, { memory, port }),
  },
  {
    name: 'pacer',
    handle: { ...Pacer.create().toHandle() },
    buffers: ['buffer'],
    attach: (handle) => Pacer.attach(handle),
  },
];

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'no error';
  } catch (error) {
    return (error as AcceptError).code;
  }
}

function copyOf(buffer: unknown): SharedArrayBuffer {
  return (buffer as SharedArrayBuffer).slice(0);
}

describe.each(kinds)('$name', ({ handle, buffers, attach }) => {
  const attachTo = (value: unknown): string => codeOf(() => attach(value as never));

  test('its own handle is taken, also after a structured clone', () => {
    expect(attachTo(handle)).toBe('no error');
    expect(attachTo(structuredClone(handle))).toBe('no error');
  });

  test('junk is refused', () => {
    for (const junk of [undefined, null, 7, 'handle', [], {}, { type: handle['type'] }]) {
      expect(attachTo(junk)).toBe('ERR_ACCEPT_HANDLE');
    }
  });

  test('a handle of another kind is refused, whatever its buffers', () => {
    for (const other of kinds) {
      if (other.handle['type'] === handle['type']) continue;
      expect(attachTo(other.handle)).toBe('ERR_ACCEPT_HANDLE');
      expect(attachTo({ ...other.handle, type: handle['type'] })).toBe('ERR_ACCEPT_HANDLE');
    }
    expect(attachTo({ ...handle, type: 'bootmem.memmap' })).toBe('ERR_ACCEPT_HANDLE');
  });

  test('a missing, cut or foreign buffer is refused', () => {
    for (const field of buffers) {
      const buffer = handle[field] as SharedArrayBuffer;
      for (const bad of [undefined, {}, new Int32Array(buffer), buffer.slice(0, 4)]) {
        expect(attachTo({ ...handle, [field]: bad })).toBe('ERR_ACCEPT_HANDLE');
      }
      const short = buffer.slice(0, buffer.byteLength - 4);
      expect(attachTo({ ...handle, [field]: short })).toBe('ERR_ACCEPT_HANDLE');
    }
  });

  test('another magic number and another layout version are refused', () => {
    const field = buffers[0]!;
    for (const word of [0, 1]) {
      const copy = copyOf(handle[field]);
      new Int32Array(copy)[word]! += 1;
      expect(attachTo({ ...handle, [field]: copy })).toBe('ERR_ACCEPT_HANDLE');
    }
  });
});

test('an accept state whose numbers do not fit each other is refused', () => {
  const handle = memory.toHandle();
  const broken = (change: (words: Int32Array) => void): string => {
    const buffer = copyOf(handle.buffer);
    change(new Int32Array(buffer));
    return codeOf(() => UnacceptedMemory.attach({ ...handle, buffer }));
  };
  expect(broken((words) => (words[2] = 3))).toBe('ERR_ACCEPT_HANDLE'); // pieces of a unit
  expect(broken((words) => (words[2] = 64))).toBe('ERR_ACCEPT_HANDLE');
  expect(broken((words) => (words[5] = 0))).toBe('ERR_ACCEPT_HANDLE'); // slots
  expect(broken((words) => (words[7] = 8))).toBe('ERR_ACCEPT_HANDLE'); // units
  expect(broken((words) => (words[7] = -1))).toBe('ERR_ACCEPT_HANDLE');
  expect(broken((words) => words.fill(0, 24))).toBe('ERR_ACCEPT_HANDLE'); // the table
  const noBackend = { ...handle, backend: undefined } as never;
  expect(codeOf(() => UnacceptedMemory.attach(noBackend))).toBe('ERR_ACCEPT_HANDLE');
  expect(codeOf(() => UnacceptedMemory.attach(handle, { participant: 5 }))).toBe(
    'ERR_ACCEPT_ARGUMENT',
  );
});

test('a zone acceptor goes with the accept state it was made over', () => {
  const handle = ZoneAcceptor.create({ memory, port }).toHandle();
  const other = newMemory(5);
  expect(codeOf(() => ZoneAcceptor.attach(handle, { memory: other, port }))).toBe(
    'ERR_ACCEPT_HANDLE',
  );
  for (const policy of [undefined, {}, { ...handle.policy, maxOrder: 40 }]) {
    const bad = { ...handle, policy } as never;
    expect(codeOf(() => ZoneAcceptor.attach(bad, { memory, port }))).toBe('ERR_ACCEPT_HANDLE');
  }
  const bad = { ...handle, policy: { ...handle.policy, mode: 'later' } } as never;
  expect(codeOf(() => ZoneAcceptor.attach(bad, { memory, port }))).toBe('ERR_ACCEPT_HANDLE');
  const inFlight = copyOf(handle.inFlight);
  new Int32Array(inFlight)[2] = 0;
  expect(codeOf(() => ZoneAcceptor.attach({ ...handle, inFlight }, { memory, port }))).toBe(
    'ERR_ACCEPT_HANDLE',
  );
  expect(codeOf(() => ZoneAcceptor.create({ memory, port, maxOrder: 31 }))).toBe(
    'ERR_ACCEPT_ARGUMENT',
  );
});

test('a backend is built from the handle it made and from no other', () => {
  for (const backend of [
    createNoneBackend(),
    createPrefaultBackend({ arena }),
    createTdxModel({ hostPageSize: 4096 }),
    createSnpModel(),
  ]) {
    expect(openBackend(structuredClone(backend.toHandle())).name).toBe(backend.name);
  }
  for (const bad of [
    { kind: 'prefault' },
    { kind: 'prefault', arena: new SharedArrayBuffer(100) },
    { kind: 'tdx-model' },
    { kind: 'tdx-model', options: { counters: new SharedArrayBuffer(8) } },
    { kind: 'toString' },
  ]) {
    expect(codeOf(() => openBackend(bad))).toBe('ERR_ACCEPT_HANDLE');
  }
  expect(openBackend({ kind: 'none' }, { none: () => createTdxModel() }).name).toBe('TDX model');
});

test('close is idempotent, ends this thread only, and is what `using` calls', () => {
  const acceptor = ZoneAcceptor.create({ memory, port });
  const other = ZoneAcceptor.attach(acceptor.toHandle(), { memory, port });
  acceptor.close();
  acceptor.close();
  expect(codeOf(() => acceptor.acceptOne(1))).toBe('ERR_ACCEPT_CLOSED');
  expect(codeOf(() => acceptor.acceptBlock(0))).toBe('ERR_ACCEPT_CLOSED');
  expect(other.acceptOne(1)).toBe(false);
  other[Symbol.dispose]();
  expect(codeOf(() => other.acceptOne(1))).toBe('ERR_ACCEPT_CLOSED');
  const own = newMemory();
  own[Symbol.dispose]();
  expect(codeOf(() => own.acceptMemory(0, 4096))).toBe('ERR_ACCEPT_CLOSED');
});
