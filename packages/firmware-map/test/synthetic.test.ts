import { describe as group, expect, test } from '@jest/globals';
import { fromJson, synthesize, toJson } from '@bootmem/firmware-map';
import { deriveMemory } from '@bootmem/firmware-map/derive';
import type { SyntheticOptions } from '@bootmem/firmware-map';

const GIB = 2 ** 30;

function bytesByNode(options: SyntheticOptions): number[] {
  const { memory, nodes } = deriveMemory(synthesize(options));
  return nodes.map(({ nid }) =>
    memory
      .filter((range) => range.nid === nid)
      .reduce((sum, { start, end }) => sum + end - start, 0),
  );
}

group('made-up machines', () => {
  test('768G on 2 nodes with 104 processors', () => {
    const description = synthesize({ memory: '768G', nodes: 2, cpus: 104 });
    expect(description.cpus).toMatchObject({ possible: 104, nodesOnline: 2 });
    expect(description.numa.cpus.filter(({ nid }) => nid === 1)).toHaveLength(52);
    const [first, second] = bytesByNode({ memory: '768G', nodes: 2 });
    expect(second).toBe(384 * GIB);
    expect(384 * GIB - first!).toBeLessThan(2 ** 20);
    expect(fromJson(toJson(description))).toEqual({ ok: true, description });
  });

  test('nodes of given sizes, one without memory', () => {
    expect(
      bytesByNode({ nodeSizes: ['2G', 0, '5G'] }).map((size) => Math.round(size / GIB)),
    ).toEqual([2, 0, 5]);
  });

  test('memory below the low top has no part above 4G', () => {
    expect(synthesize({ memory: '1G' }).firmware.map.at(-1)?.end).toBe(2 ** 32);
    // ACPI data at the top counts from 6.11 on.
    const of = (release: string): number =>
      deriveMemory(synthesize({ memory: '1G' }), { release }).maxPfn;
    expect([of('6.10'), of('6.11')]).toEqual([(GIB - 128 * 1024) / 4096, GIB / 4096]);
    expect(
      synthesize({ memory: '5G', lowTop: '4G' })
        .firmware.map.filter(({ kind }) => kind === 'usable')
        .at(-1),
    ).toMatchObject({ start: 2 ** 32, end: 2 ** 32 + GIB });
  });

  test('persistent and unaccepted memory', () => {
    const derived = deriveMemory(synthesize({ memory: '8G', persistent: '2G', unaccepted: '6G' }));
    expect(derived.persistent).toEqual([
      { start: 9 * GIB, end: 11 * GIB, nid: 0, kind: 'persistent' },
    ]);
    expect(derived.unaccepted).toEqual([
      { start: 2 * GIB, end: 3 * GIB },
      { start: 4 * GIB, end: 9 * GIB },
    ]);
  });

  test('arm64 with large pages has one stretch', () => {
    const derived = deriveMemory(
      synthesize({
        memory: '16G',
        nodes: 2,
        architecture: 'arm64',
        pageSize: 65_536,
        hotplugNodes: [1],
      }),
    );
    expect(derived.memory).toEqual([
      { start: GIB, end: 9 * GIB, nid: 0, hotplug: false },
      { start: 9 * GIB, end: 17 * GIB, nid: 1, hotplug: true },
    ]);
    expect(derived.pageSize).toBe(65_536);
  });

  test('kernel and command line', () => {
    expect(
      synthesize({ memory: '1G', kernel: '6.12.0-x', commandLine: 'kernelcore=25% mem=x' }),
    ).toMatchObject({
      kernel: { numbers: [6, 12, 0] },
      options: { kernelcore: { percent: 25 } },
      problems: [{ code: 'BAD_OPTION' }],
    });
  });

  test.each<[string, SyntheticOptions]>([
    ['memory', {}],
    ['memory', { memory: '1M' }],
    ['memory', { memory: 'lots' }],
    ['memory', { memory: -5 }],
    ['memory', { memory: '8P', persistent: '1G' }],
    ['nodes', { memory: '1G', nodes: 0 }],
    ['nodes', { memory: '1G', nodes: 1025 }],
    ['nodes', { memory: '1G', nodes: 1.5 }],
    ['nodeSizes', { memory: '1G', nodeSizes: ['1G'] }],
    ['nodes', { nodeSizes: [] }],
    ['cpus', { memory: '1G', cpus: 0 }],
    ['cpus', { memory: '1G', cpus: 70_000 }],
    ['pageSize', { memory: '1G', pageSize: 8192 }],
    ['pageSize', { memory: '1G', pageSize: 65_536 }],
    ['lowTop', { memory: '1G', lowTop: '5G' }],
    ['lowTop', { memory: '1G', lowTop: 33_000_001 }],
    ['persistent', { memory: '1G', persistent: 5 }],
    ['unaccepted', { memory: '1G', unaccepted: '1G' }],
    ['hotplugNodes', { memory: '1G', hotplugNodes: [0] }],
    ['hotplugNodes', { memory: '1G', nodes: 2, hotplugNodes: [2] }],
    ['kernel', { memory: '1G', kernel: 'new' }],
  ])('refuses a bad %s: %p', (option, options) => {
    expect(() => synthesize(options)).toThrow(
      expect.objectContaining({
        code: 'ERR_FIRMWARE_MAP_OPTION',
        details: expect.objectContaining({ option }),
      }),
    );
  });
});
