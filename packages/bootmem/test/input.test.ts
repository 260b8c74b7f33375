import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { bootMemory, loadMachine } from '../dist/index.js';
import { readThisMachine } from '../dist/input/this-machine.js';
import { chooseRelease, kernelOf, releaseName } from '../dist/plan/profile.js';
import { FIXTURES } from './helpers/run.js';

/** A /proc and /sys from a table; everything else cannot be read. */
function files(table: Record<string, string>, folders: Record<string, string[]> = {}) {
  return {
    read: (path: string): Promise<Uint8Array> =>
      table[path] === undefined
        ? Promise.reject(new Error(`EACCES: ${path}`))
        : Promise.resolve(Buffer.from(table[path])),
    list: (path: string): Promise<string[]> =>
      folders[path] === undefined
        ? Promise.reject(new Error(`EACCES: ${path}`))
        : Promise.resolve(folders[path]),
  };
}

const ZONEINFO = `Node 0, zone      DMA
  pages free     3840
        min      8
        low      10
        high     12
        spanned  4095
        present  3998
        managed  3840
  start_pfn:           1
Node 0, zone    DMA32
  pages free     100000
        min      80
        low      100
        high     120
        spanned  258048
        present  258016
        managed  250000
  start_pfn:           4096
`;

test('this machine with addresses hidden: zones of zoneinfo, and a note for each thing that was not readable', async () => {
  const machine = await readThisMachine(
    files({
      '/proc/iomem': '00000000-00000000 : Reserved\n00000000-00000000 : System RAM\n',
      '/proc/zoneinfo': ZONEINFO,
    }),
  );
  const notes = machine.notes.join('\n');
  expect(notes).toMatch(/\/proc\/iomem: addresses are hidden without root/);
  expect(notes).toMatch(/\/proc\/buddyinfo could not be read/);
  expect(notes).toMatch(/\/sys\/firmware\/memmap could not be read without root/);
  expect(notes).toMatch(/laid out from the zone spans/);
  const up = await bootMemory(machine.description, { threads: 1 });
  const zones = up.report().zones;
  await up.close();
  expect(zones.map((zone) => [zone.name, zone.presentPages])).toEqual([
    ['DMA', 3998],
    ['DMA32', 258016],
  ]);
});

test('this machine as root: the map of iomem, nodes of sysfs', async () => {
  const machine = await readThisMachine(
    files(
      {
        '/proc/iomem':
          '00000000-00000fff : Reserved\n00001000-0009fbff : System RAM\n00100000-3fffffff : System RAM\n  01000000-01ffffff : Kernel code\n',
        '/proc/zoneinfo': ZONEINFO,
        '/sys/devices/system/node/node0/cpulist': '0-1\n',
        '/sys/devices/system/node/node0/distance': '10\n',
        '/sys/devices/system/node/node0/meminfo': 'Node 0 MemTotal: 1048000 kB\n',
      },
      { '/sys/devices/system/node': ['node0', 'possible', 'power'] },
    ),
  );
  expect(machine.notes.join('\n')).not.toMatch(/hidden/);
  const up = await bootMemory(machine.description, { threads: 1 });
  const report = up.report();
  await up.close();
  expect(report.earlyRanges).toEqual([
    { nid: 0, startPfn: 1, endPfn: 0x9f },
    { nid: 0, startPfn: 0x100, endPfn: 0x40000 },
  ]);
  expect(report.machine.nodeCount).toBe(1);
});

test('this machine without any of its files is refused', async () => {
  await expect(readThisMachine(files({}))).rejects.toMatchObject({ code: 'ERR_BOOTMEM_READ' });
});

test('the real machine can be read, or says why not', async () => {
  const machine = await loadMachine(undefined, { thisMachine: true });
  expect(machine.source).toMatch(/^this machine/);
  const up = await bootMemory(machine.description, { threads: 1 });
  expect(up.report().machine.memoryBytes).toBeGreaterThan(2 ** 26);
  await up.close();
});

test('a folder stands for the log inside it, with the files beside it', async () => {
  const machine = await loadMachine(`${FIXTURES}k61-4n-odd`);
  expect(machine.source).toBe('k61-4n-odd');
  expect(machine.description.proc.zoneinfo?.length).toBe(20);
  expect(machine.description.proc.nodes?.length).toBe(4);
});

test('a ring buffer that wrapped: the console of the same folder is used, up to the files dumped after it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bootmem-'));
  try {
    await writeFile(
      join(folder, 'dmesg.txt'),
      '<6>[ 1.0] BIOS-e820: [mem 0x0000000000100000-0x000000000fffffff] usable\n',
    );
    const live =
      '[ 0.0] Linux version 6.1.0-50-amd64 (x) #1\n[ 0.0] BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable\n';
    await writeFile(join(folder, 'console.txt'), `${live}@@BEGIN dmesg@@\n${live}@@END dmesg@@\n`);
    const machine = await loadMachine(folder);
    expect(machine.description.source.name).toBe('console.txt');
    expect(machine.description.firmware.map).toHaveLength(1);
    expect(machine.description.firmware.map[0]!.end).toBe(2 ** 30);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('of several boots in one file the last is taken, or the one that is asked for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bootmem-'));
  try {
    const boot = (size: string) =>
      `[    0.000000] Linux version 6.1.0 (x) #1\n[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x00000000${size}] usable\n`;
    const file = join(folder, 'two.log');
    await writeFile(file, boot('0fffffff') + boot('1fffffff'));
    const end = async (which?: number) =>
      (await loadMachine(file, which === undefined ? {} : { boot: which })).description.firmware
        .map[0]!.end;
    expect(await end()).toBe(2 ** 29);
    expect(await end(1)).toBe(2 ** 28);
    expect(await end(2)).toBe(2 ** 29);
    await expect(end(3)).rejects.toMatchObject({ code: 'ERR_BOOTMEM_INPUT' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('an empty folder and a missing file are refused with the path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bootmem-'));
  try {
    await expect(loadMachine(folder)).rejects.toMatchObject({
      code: 'ERR_BOOTMEM_READ',
      details: { path: folder },
    });
    await expect(loadMachine(join(folder, 'x'))).rejects.toMatchObject({
      code: 'ERR_BOOTMEM_READ',
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('profiles follow the kernel release', async () => {
  const { description } = await loadMachine(undefined);
  const of = (release: string) => ({
    ...description,
    kernel: { line: 1, release, numbers: release.split('.').map(Number) },
  });
  const name = (asked: string, release: string) => releaseName(chooseRelease(asked, of(release)));
  expect(name('auto', '2.6.39')).toBe('2.6.39');
  expect(name('auto', '6.1.0')).toBe('6.1');
  expect(name('auto', '6.12.100')).toBe('6.12');
  expect(name('auto', '6.13')).toBe('6.13');
  expect(name('auto', '7.0')).toBe('7.0');
  expect(name('6.12', '6.1')).toBe('6.12');
  expect(name('latest', '6.1')).toBe('latest');
  const unknown = { ...description };
  delete (unknown as { kernel?: unknown }).kernel;
  expect(releaseName(chooseRelease('auto', unknown))).toBe('latest');
  const holes = (release: string | undefined) => kernelOf(release).printed.mapsByBlock;
  expect(holes('5.14')).toBe(false);
  expect(holes('5.13.99')).toBe(true);
  expect(holes(undefined)).toBe(false);
  for (const junk of ['', '6', 'newest', '6.x', '6.12-rc1', 'v6.12']) {
    expect(() => chooseRelease(junk, description)).toThrow(
      expect.objectContaining({ code: 'ERR_BOOTMEM_USAGE', details: { profile: junk } }),
    );
  }
});
