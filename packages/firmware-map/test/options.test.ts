import { describe as group, expect, test } from '@jest/globals';
import { parseMemoryOptions, parseSize, splitCommandLine } from '@bootmem/firmware-map';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

function optionsOf(line: string): ReturnType<typeof parseMemoryOptions>['options'] {
  const { options, problems } = parseMemoryOptions(line, 7);
  expect(problems).toEqual([]);
  return options;
}

group('memory options', () => {
  test('nothing on the command line sets nothing', () => {
    expect(optionsOf('root=/dev/sda quiet constructor=1')).toEqual({
      memmap: [],
      movableNode: false,
      numa: [],
      crashkernel: [],
      hugepages: [],
      memblockDebug: false,
      efiDebug: false,
      noSoftReserve: false,
      addEfiMemmap: false,
    });
  });

  test('mem= takes the smallest', () => {
    expect(optionsOf('mem=2G mem=1500M mem=nopentium').mem).toBe(1500 * MIB);
  });

  test('every form of memmap=, also several in one value', () => {
    expect(
      optionsOf(
        'memmap=exactmap memmap=640K@0,16M#1G,64M$0x20000000 memmap=1G!4G memmap=3G memmap=1G%4G-1+2 memmap=1M%2M-2 memmap=1M%2M+12',
      ).memmap,
    ).toEqual([
      { text: 'exactmap', form: 'exactmap' },
      { text: '640K@0', form: 'usable', size: 640 * 1024, start: 0 },
      { text: '16M#1G', form: 'acpi', size: 16 * MIB, start: GIB },
      { text: '64M$0x20000000', form: 'reserved', size: 64 * MIB, start: 0x20000000 },
      { text: '1G!4G', form: 'persistent', size: GIB, start: 4 * GIB },
      { text: '3G', form: 'limit', size: 3 * GIB },
      { text: '1G%4G-1+2', form: 'change', size: GIB, start: 4 * GIB, oldType: 1, newType: 2 },
      { text: '1M%2M-2', form: 'change', size: MIB, start: 2 * MIB, oldType: 2 },
      { text: '1M%2M+12', form: 'change', size: MIB, start: 2 * MIB, newType: 12 },
    ]);
  });

  test('kernelcore, movablecore, movable_node', () => {
    expect(optionsOf('kernelcore=512M movablecore=25% movable_node')).toMatchObject({
      kernelcore: { bytes: 512 * MIB },
      movablecore: { percent: 25 },
      movableNode: true,
    });
    expect(optionsOf('kernelcore=mirror').kernelcore).toEqual({ mirror: true });
  });

  test('numa=', () => {
    expect(optionsOf('numa=off').numa).toEqual([{ mode: 'off' }]);
    expect(optionsOf('numa=fake=4 numa=fake=2U numa=fake=64M').numa).toEqual([
      { mode: 'fake', text: '4', count: 4, uniform: false },
      { mode: 'fake', text: '2U', count: 2, uniform: true },
      { mode: 'fake', text: '64M', size: 64 * MIB },
    ]);
  });

  test('crashkernel= in all forms', () => {
    expect(
      optionsOf(
        'crashkernel=256M crashkernel=256M@16M crashkernel=1G,high crashkernel=64M,low crashkernel=512M-2G:64M,2G-:128M@16M crashkernel=auto',
      ).crashkernel,
    ).toEqual([
      { text: '256M', size: 256 * MIB },
      { text: '256M@16M', size: 256 * MIB, offset: 16 * MIB },
      { text: '1G,high', size: GIB, where: 'high' },
      { text: '64M,low', size: 64 * MIB, where: 'low' },
      {
        text: '512M-2G:64M,2G-:128M@16M',
        offset: 16 * MIB,
        steps: [
          { start: 512 * MIB, end: 2 * GIB, size: 64 * MIB },
          { start: 2 * GIB, size: 128 * MIB },
        ],
      },
      { text: 'auto' },
    ]);
  });

  test('huge pages pair a size with a count', () => {
    expect(
      optionsOf(
        'hugepages=3 hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=0:1,1:4 default_hugepagesz=1G',
      ),
    ).toMatchObject({
      hugepages: [
        { count: 3 },
        { pageBytes: GIB, count: 2 },
        {
          pageBytes: 2 * MIB,
          perNode: [
            { nid: 0, count: 1 },
            { nid: 1, count: 4 },
          ],
        },
      ],
      defaultHugepageSize: GIB,
    });
  });

  test('the rest', () => {
    expect(
      optionsOf(
        'accept_memory=eager memblock=debug log_buf_len=5M efi=debug,nosoftreserve efi_fake_mem=1G@4G:0x40000 add_efi_memmap init_on_alloc=1 init_on_free=off page_alloc.shuffle=Y highmem=512M cma=64M vmalloc=256M maxcpus=2 nr_cpus=4 possible_cpus=8 min_memory_block_size=1G memory_hotplug.memmap_on_memory=force memhp_default_state=online_movable',
      ),
    ).toMatchObject({
      acceptMemory: 'eager',
      memblockDebug: true,
      logBufLen: 8 * MIB,
      efiDebug: true,
      noSoftReserve: true,
      efiFakeMem: '1G@4G:0x40000',
      addEfiMemmap: true,
      initOnAlloc: true,
      initOnFree: false,
      shuffle: true,
      highmem: 512 * MIB,
      cma: 64 * MIB,
      vmalloc: 256 * MIB,
      maxCpus: 2,
      nrCpus: 4,
      possibleCpus: 8,
      minMemoryBlockSize: GIB,
      memmapOnMemory: 'force',
      memhpDefaultState: 'online_movable',
    });
  });

  test.each([
    'mem=',
    'mem=0',
    'mem=much',
    'memmap=',
    'memmap',
    'memmap=1G^2G',
    'memmap=0@1M',
    'memmap=1G%1G-x',
    'memmap=1G%1G+0x100000000',
    'memmap=0x1fffffffffffff@1',
    'kernelcore=x',
    'kernelcore=101%',
    'movablecore=',
    'numa=',
    'numa=maybe',
    'numa=fake=0',
    'numa=fake=x',
    'crashkernel=',
    'crashkernel=1G,mid',
    'crashkernel=a-b:c',
    'crashkernel=2G-1G:1M',
    'crashkernel=1G-2G:1M@',
    'crashkernel=1G-:x',
    'crashkernel=:1',
    'hugepages=x',
    'hugepages=0:1,x',
    'hugepagesz=3M',
    'hugepagesz=x',
    'default_hugepagesz=5',
    'accept_memory=maybe',
    'memblock=loud',
    'log_buf_len=x',
    'log_buf_len=4G',
    'efi_fake_mem=',
    'init_on_alloc=maybe',
    'cma=x',
    'maxcpus=-1',
    'memhp_default_state=perhaps',
    'memory_hotplug.memmap_on_memory=perhaps',
    'hugepages=0:1,2',
    'hugepages=1:',
    'numa=fake=m',
  ])('"%s" is refused with a warning on its line', (line) => {
    const { problems } = parseMemoryOptions(line, 7);
    expect(problems).toEqual([
      expect.objectContaining({ code: 'BAD_OPTION', severity: 'warning', line: 7 }),
    ]);
  });

  test('what the kernel has read counts, whatever stands behind it', () => {
    const read = (line: string) => parseMemoryOptions(line, 7).options;
    // A shell that eats "$4" of 64G$4G leaves a limit.
    expect(read('memmap=64G4G').memmap).toEqual([{ text: '64G4G', form: 'limit', size: 64 * GIB }]);
    expect(parseMemoryOptions('memmap=64G4G', 7).problems[0]?.message).toBe(
      `"memmap=64G4G" is read as a limit at ${64 * GIB} bytes`,
    );
    expect(read('memmap=exactmapped,1G@1Gx,1M$junk').memmap).toEqual([
      { text: 'exactmapped', form: 'exactmap' },
      { text: '1G@1Gx', form: 'usable', size: GIB, start: GIB },
      { text: '1M$junk', form: 'reserved', size: MIB, start: 0 },
    ]);
    expect(read('kernelcore=25%more movablecore=0x19%')).toMatchObject({
      kernelcore: { percent: 25 },
      movablecore: { percent: 25 },
    });
    expect(read('crashkernel=256M@16Mx crashkernel=1G@x').crashkernel).toEqual([
      { text: '256M@16Mx', size: 256 * MIB, offset: 16 * MIB },
      { text: '1G@x', size: GIB },
    ]);
    expect(read('hugepages=2x hugepagesz=1G hugepages=0:1,1:4 hugepages=0:3;').hugepages).toEqual([
      { count: 2 },
      {
        pageBytes: GIB,
        perNode: [
          { nid: 0, count: 1 },
          { nid: 1, count: 4 },
        ],
      },
      { perNode: [{ nid: 0, count: 3 }] },
    ]);
    // Only capital letters make a size; without one the number is a count.
    expect(
      read('numa=fake=64m numa=fake=0x10 numa=fake=64K numa=fake=1G:10 numa=offline').numa,
    ).toEqual([
      { mode: 'fake', text: '64m', count: 64, uniform: false },
      { mode: 'fake', text: '0x10', count: 16, uniform: false },
      { mode: 'fake', text: '64K', count: 64, uniform: false },
      { mode: 'fake', text: '1G:10', size: GIB },
      { mode: 'off' },
    ]);
    expect(read('init_on_alloc=yes init_on_free=False page_alloc.shuffle=oN')).toMatchObject({
      initOnAlloc: true,
      initOnFree: false,
      shuffle: true,
    });
  });

  test('words: quotes keep blanks, dashes are underscores, nothing counts after --', () => {
    expect(splitCommandLine('a-b="x y" "c=d e" quiet  -- mem=1G')).toEqual([
      { name: 'a_b', value: 'x y' },
      { name: 'c', value: 'd e' },
      { name: 'quiet', value: undefined },
    ]);
    expect(splitCommandLine('"open mem=1')).toEqual([{ name: 'open mem', value: '1' }]);
  });

  test.each([
    ['768G', 768 * GIB],
    ['1.5G', 1.5 * GIB],
    ['0x1000', 4096],
    ['010', 8],
    ['08', undefined],
    ['2TiB', 2 * 2 ** 40],
    ['5KB', 5120],
    ['1', 1],
    ['', undefined],
    ['G', undefined],
    ['1X', undefined],
    ['9E', undefined],
    ['1.5', undefined],
    ['99999999999999999999', undefined],
    ['8999.9E', undefined],
  ])('parseSize("%s") is %p', (text, size) => {
    expect(parseSize(text)).toBe(size);
  });
});
