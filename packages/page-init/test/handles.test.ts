/** What comes over `postMessage` is checked before it is used: junk, foreign and truncated handles have one answer. */
import { describe, expect, test } from '@jest/globals';
import { Memmap, X86_64 } from '@bootmem/memmap';
import { createDeferredNodes, DeferredNode, type PageInitError } from '@bootmem/page-init';
import { DeviceInit, DeviceMemory } from '@bootmem/page-init/device';
import { memmapFor, SECTION, TINY, tinyPlan } from './machines.js';

const plan = tinyPlan({ memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }] });
const memmap = memmapFor(plan);
const sink = { freeBlocks: (start: number, end: number) => end - start };
const attach = { memmap, sink, threadId: 2 };
const nodeHandle = createDeferredNodes(plan, memmap, { sink, threadId: 1 })[0]!.toHandle();

const deviceMap = Memmap.create({
  ranges: [{ startPfn: 0, endPfn: SECTION }],
  geometry: TINY,
  maxPfn: 64 * SECTION,
  storage: 'shared',
});
const deviceHandle = new DeviceMemory({
  memmap: deviceMap,
  memory: [{ startPfn: 0, endPfn: SECTION }],
})
  .memremapPages({ name: 'pmem0', type: 'generic', ranges: [{ startPfn: 640, endPfn: 1920 }] })
  .handleFor(640);

/** As large as TINY's maps, with the sections of x86-64. */
const otherMap = Memmap.create({
  ranges: [{ startPfn: 0, endPfn: 2 ** X86_64.sectionOrder }],
  geometry: X86_64,
});

const kinds: readonly {
  readonly name: string;
  readonly handle: { readonly type: string; readonly buffer: ArrayBufferLike };
  readonly attach: (handle: never) => unknown;
  readonly attachElsewhere: (handle: never) => unknown;
}[] = [
  {
    name: 'deferred node',
    handle: nodeHandle,
    attach: (handle) => DeferredNode.attach(handle, attach),
    attachElsewhere: (handle) => DeferredNode.attach(handle, { ...attach, memmap: otherMap }),
  },
  {
    name: 'device initialisation',
    handle: deviceHandle,
    attach: (handle) => DeviceInit.attach(handle, { memmap: deviceMap }),
    attachElsewhere: (handle) => DeviceInit.attach(handle, { memmap: otherMap }),
  },
];

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'no error';
  } catch (error) {
    return (error as PageInitError).code;
  }
}

describe.each(kinds)('$name', ({ handle, attach, attachElsewhere }) => {
  const attachTo = (value: unknown): string => codeOf(() => attach(value as never));
  const words = (change: (words: Int32Array, doubles: Float64Array) => void): string => {
    const buffer = (handle.buffer as SharedArrayBuffer).slice(0);
    change(new Int32Array(buffer), new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8)));
    return attachTo({ ...handle, buffer });
  };

  test('its own handle is taken, also after a structured clone', () => {
    expect(attachTo(handle)).toBe('no error');
    expect(attachTo(structuredClone(handle))).toBe('no error');
  });

  test('junk, other tags and handles of another kind are refused', () => {
    for (const junk of [undefined, null, 7, 'handle', [], {}, { type: handle.type }]) {
      expect(attachTo(junk)).toBe('ERR_PAGE_INIT_HANDLE');
    }
    for (const other of kinds) {
      if (other.handle === handle) continue;
      expect(attachTo(other.handle)).toBe('ERR_PAGE_INIT_HANDLE');
      expect(attachTo({ ...other.handle, type: handle.type })).toBe('ERR_PAGE_INIT_HANDLE');
    }
    expect(attachTo({ ...handle, type: 'bootmem.memmap' })).toBe('ERR_PAGE_INIT_HANDLE');
  });

  test('a missing, cut or foreign buffer is refused', () => {
    const buffer = handle.buffer as SharedArrayBuffer;
    const cut = buffer.slice(0, buffer.byteLength - 4);
    for (const bad of [undefined, {}, new Int32Array(buffer), buffer.slice(0, 4), cut]) {
      expect(attachTo({ ...handle, buffer: bad })).toBe('ERR_PAGE_INIT_HANDLE');
    }
  });

  test('another magic number, another layout version and impossible counts are refused', () => {
    for (const word of [0, 1]) expect(words((all) => all[word]!++)).toBe('ERR_PAGE_INIT_HANDLE');
    // Sections of a node, units of a device range: 2**30 of them need a longer buffer, -1 none at all.
    for (const count of [-1, 2 ** 30, 2 ** 30 + 1]) {
      expect(words((all) => (all[7] = count))).toBe('ERR_PAGE_INIT_HANDLE');
    }
  });

  test('it goes with a memmap of the same sections', () => {
    expect(codeOf(() => attachElsewhere(handle as never))).toBe('ERR_PAGE_INIT_HANDLE');
  });
});

test('free ranges and the order of sections are held to what can be', () => {
  const broken = (change: (words: Int32Array) => void): string => {
    const buffer = (nodeHandle.buffer as SharedArrayBuffer).slice(0);
    change(new Int32Array(buffer));
    return codeOf(() => DeferredNode.attach({ ...nodeHandle, buffer }, attach));
  };
  expect(broken((words) => (words[8] = -1))).toBe('ERR_PAGE_INIT_HANDLE');
  expect(broken((words) => (words[9] = 31))).toBe('ERR_PAGE_INIT_HANDLE');
  expect(broken((words) => (words[9] = -1))).toBe('ERR_PAGE_INIT_HANDLE');
});

test('start, end and unit of a device range fit each other', () => {
  const broken = (change: (doubles: Float64Array) => void): string => {
    const buffer = (deviceHandle.buffer as SharedArrayBuffer).slice(0);
    change(new Float64Array(buffer, 64, 3));
    return codeOf(() => DeviceInit.attach({ ...deviceHandle, buffer }, { memmap: deviceMap }));
  };
  expect(broken((doubles) => (doubles[0] = 2000))).toBe('ERR_PAGE_INIT_HANDLE');
  expect(broken((doubles) => (doubles[1] = 1984))).toBe('ERR_PAGE_INIT_HANDLE');
  expect(broken((doubles) => (doubles[2] = 0))).toBe('ERR_PAGE_INIT_HANDLE');
  expect(broken((doubles) => (doubles[2] = Number.NaN))).toBe('ERR_PAGE_INIT_HANDLE');
});
