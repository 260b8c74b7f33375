import { describe as group, expect, test } from '@jest/globals';
import { createReader, parseDescription, readDescription } from '@bootmem/firmware-map';
import { codes, describe, fixture } from './helpers.js';

const FIRST = fixture('x86-2n.dmesg');
const SECOND = fixture('x86-7.x.dmesg');

group('several boots in one input', () => {
  const both = `noise before\n${FIRST}${SECOND}`;

  test('without a wish the last boot is taken, with a warning', () => {
    const description = describe(both);
    expect(description.kernel?.release).toBe('7.1.0-rc3');
    expect(description.source).toMatchObject({ bootCount: 2, bootIndex: 1, firstLine: 83 });
    expect(codes(description)).toContain('MULTIPLE_BOOTS');
  });

  test.each([
    [0, '6.12.3-made-up'],
    [1, '7.1.0-rc3'],
  ])('boot %i is %s', (boot, release) => {
    const description = describe(both, { boot });
    expect(description.kernel?.release).toBe(release);
    expect(description.source.bootIndex).toBe(boot);
  });

  test('a boot that is not there is refused with the number of boots', () => {
    const read = parseDescription(both, { boot: 2 });
    expect(read).toEqual({
      ok: false,
      problems: [
        expect.objectContaining({
          code: 'NO_SUCH_BOOT',
          message: expect.stringContaining('holds 2'),
        }),
      ],
    });
  });

  test('a later boot without any map does not hide the one before it', () => {
    const description = describe(`${FIRST}Linux version 6.1.0\nnothing more\n`);
    expect(description.kernel?.release).toBe('6.12.3-made-up');
  });

  test('a beginning that is lost does not spoil the boot after it', () => {
    const lost = '[   12.300000] Freeing initrd memory: 16K\n';
    expect(describe(lost + SECOND).printed.freeing).toEqual([]);
  });

  test('a log that is repeated without its banner is left out, with a warning', () => {
    const timed = FIRST.trimEnd()
      .split('\n')
      .map((line, index) => `[    ${index < 60 ? '0.000000' : '2.500000'}] ${line}`);
    const description = describe([...timed, ...timed.slice(2)].join('\n'));
    expect(description.printed.earlyRanges).toHaveLength(4);
    expect(codes(description)).toEqual(['REPEATED_LOG']);
  });

  test('lines of memblock before the banner are the beginning of its boot', () => {
    const early = [
      'MEMBLOCK configuration:',
      ' memory.cnt  = 0x1',
      ' memory[0x0]\t[0x0000000000000000-0x000000007fffffff], 0x0000000080000000 bytes flags: 0x0',
      ' reserved.cnt  = 0x0',
      'memblock_reserve: [0x0000000000000000-0x0000000000000fff] early_init_devtree+0x1/0x2',
    ];
    const banner = 'Linux version 6.12.0-powerpc64le (a@b) (gcc 14) #1 SMP';
    const { memblock, source } = describe([...early, banner, 'Kernel command line: x'].join('\n'));
    expect([memblock.dumps.length, memblock.operations.length, source.bootCount]).toEqual([
      1, 1, 1,
    ]);
    // With a line that comes after a banner everywhere they are another boot's.
    const other = [...early, 'Kernel command line: y', banner, ...early].join('\n');
    expect(describe(other).source.bootCount).toBe(2);
  });

  test('/proc/version after the log begins no boot; a banner without prefix that a log follows does', () => {
    const timed = FIRST.trimEnd()
      .split('\n')
      .map((line) => `[    0.000000] ${line}`)
      .join('\n');
    const version = 'Linux version 6.12.3-made-up (user@host) #1 SMP\n';
    expect(describe(`${timed}\n${version}\n${fixture('iomem.txt')}`)).toMatchObject({
      source: { bootCount: 1 },
      proc: { iomem: expect.anything() },
    });
    expect(describe(`${timed}\n${fixture('riscv.dmesg')}`)).toMatchObject({
      architecture: 'riscv64',
      source: { bootCount: 2 },
    });
  });

  test('a kernel that warns at length before its first record begins a boot too, where its release is another', () => {
    const timed = FIRST.trimEnd()
      .split('\n')
      .map((line) => `[    0.000000] ${line}`);
    const other = (numbers: string): string =>
      `Linux version ${numbers}-made-up (user@host) #1 SMP`;
    const warning = Array.from({ length: 40 }, (_, index) => `R${index}: 0000000000000000`);
    const map = ['BIOS-e820: [mem 0x0000000000100000-0x00000000bfffcfff] usable'];
    const boot = (numbers: string): string =>
      [...timed, other(numbers), ...warning, ...map].join('\n');
    const firstLine = timed.length + 1;
    expect(describe(boot('6.99.1'))).toMatchObject({
      kernel: { numbers: [6, 99, 1] },
      source: { bootCount: 2, firstLine },
      firmware: { map: [{ start: 0x100000 }] },
    });
    // Another kernel that is only spoken of: the log goes on with its own prefix.
    const spoken = [...timed, other('6.99.1'), ...warning, '[    1.000000] ACPI: LAPIC 0', ...map];
    expect(describe(spoken.join('\n'))).toMatchObject({ source: { bootCount: 1 } });
    // The same release may be /proc/version, however far from what follows.
    const own = /Linux version (\S+)/.exec(FIRST)![1]!;
    const same = [...timed, `Linux version ${own} (user@host) #1 SMP`, ...warning, ...map];
    expect(describe(same.join('\n'))).toMatchObject({ source: { bootCount: 1 } });
  });
});

group('streams', () => {
  test.each([1, 2, 7, 64, 4096])('pieces of %i characters give what the whole gives', (size) => {
    const reader = createReader();
    for (let at = 0; at < FIRST.length; at += size) reader.push(FIRST.slice(at, at + size));
    expect(reader.finish()).toEqual(parseDescription(FIRST));
  });

  test('bytes cut inside a character, CRLF cut between its two', () => {
    const text = FIRST.replaceAll('\n', '\r\n').replace('Made Up', 'Mäde Üp');
    const bytes = new TextEncoder().encode(text);
    const reader = createReader();
    for (const byte of bytes) reader.push(Uint8Array.of(byte));
    expect(reader.finish()).toEqual(parseDescription(bytes));
  });

  test('an async iterable, an iterable and a text are all read', async () => {
    async function* later(): AsyncGenerator<string> {
      for (const line of FIRST.split(/(?<=\n)/)) yield await Promise.resolve(line);
    }
    const whole = parseDescription(FIRST);
    expect(await readDescription(later())).toEqual(whole);
    expect(await readDescription([FIRST])).toEqual(whole);
    expect(await readDescription(FIRST)).toEqual(whole);
  });

  test('memory does not grow with the input: 48 MB of other lines leave no trace', async () => {
    const filler =
      `[  100.123456] systemd[1]: a line about Memory and nodes that says nothing\n`.repeat(14_000);
    function* long(): Generator<string> {
      yield FIRST;
      for (let times = 0; times < 48; times++)
        yield `memblock_reserve: [0x1000-0x1fff] a_caller_with_a_long_name+0x1/0x2\n${filler}`;
    }
    const before = process.memoryUsage().heapUsed;
    const read = await readDescription(long());
    expect(read.ok && read.description.memblock.operations).toHaveLength(7 + 48);
    // All of the input would be 48 MiB; garbage that is not collected yet is allowed for.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(40 * 2 ** 20);
  });
});

group('refusals', () => {
  test.each([
    ['an empty input', '', 'EMPTY_INPUT'],
    ['blank lines', '\n \n', 'EMPTY_INPUT'],
    ['prose', 'one\ntwo\nthree', 'NO_MEMORY_MAP'],
    ['a log without its beginning', fixture('refused/late-lines-only.txt'), 'NO_MEMORY_MAP'],
    ['a log without a map', fixture('refused/no-map.txt'), 'NO_MEMORY_MAP'],
    ['bytes', Uint8Array.from({ length: 512 }, (_, index) => (index * 37) % 256), 'NOT_TEXT'],
    ['hidden addresses', '00000000-00000000 : System RAM\n', 'HIDDEN_ADDRESSES'],
  ])('%s', (_, input, code) => {
    const read = parseDescription(input);
    expect(read.ok).toBe(false);
    expect(!read.ok && read.problems.find(({ severity }) => severity === 'error')).toMatchObject({
      code,
    });
  });

  test("a caller's mistake is thrown, before anything is read", () => {
    expect(() => createReader({ boot: -1 })).toThrow(
      expect.objectContaining({ code: 'ERR_FIRMWARE_MAP_OPTION' }),
    );
    expect(() => createReader({ boot: 1.5 })).toThrow(
      expect.objectContaining({ code: 'ERR_FIRMWARE_MAP_OPTION' }),
    );
    const reader = createReader();
    expect(() => {
      reader.push(5 as unknown as string);
    }).toThrow(expect.objectContaining({ code: 'ERR_FIRMWARE_MAP_CHUNK' }));
    reader.finish();
    expect(() => reader.finish()).toThrow(
      expect.objectContaining({ code: 'ERR_FIRMWARE_MAP_FINISHED' }),
    );
    expect(() => {
      reader.push('x');
    }).toThrow(expect.objectContaining({ code: 'ERR_FIRMWARE_MAP_FINISHED' }));
  });
});
