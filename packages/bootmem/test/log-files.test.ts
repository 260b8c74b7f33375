/** Logs as they lie on a disk: packed, in two halves, or not there at all. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkLog } from '../dist/check.js';
import { loadMachine } from '../dist/index.js';
import { expanded } from '../dist/input/unpack/expand.js';
import { joinLogs } from '../dist/input/join-logs.js';
import { FIXTURES } from './helpers/run.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootmem-logs-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const LOG = [
  'Linux version 6.12.7-packed (a@b) #1 SMP',
  'Command line: ro',
  'BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable',
  'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
]
  .map((line) => `[    0.000000] ${line}\n`)
  .join('');

// The log above, packed by xz 5.4 and zstd 1.5.
const XZ =
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4ADxAHVdAC2IMEYC4aB2XuHkZJHbZoL54GgkgZaFY4+8nCYQPazwufBgtUO1w3skUWfkAD01fMBjbuiNv37m9Aa8QhKZkmKnZ0giM4hyVVSwjEARJ8s2Dyx6TaSCBSBNBKvKlXE9Hj6RWj/BLjdkfSYqi8xm4ydemXqMzAAAAACSRv9jbf6fmgABkQHyAQAAkIyiBbHEZ/sCAAAAAARZWg==';
const ZSTD =
  'KLUv/QRoxQMAAkYWGVB3Doyo+/QeEr+39PAyrIs66adrhaoRFQYF7c2q3vcqS+IM529f6sokkI5T5DC5u9LYbsdwvTc3gARNp8EHa6nCsdauysVDElQax9l6XYMPP2yfV1POUwELAHAAE4ADhAUFM7pAs3mIbxcMhYBt1Rq0DgBtzsFPwA==';

describe('packed logs', () => {
  test.each([
    ['gzip', gzipSync(LOG)],
    ['gzip in two members', Buffer.concat([gzipSync(LOG.slice(0, 100)), gzipSync(LOG.slice(100))])],
    ['xz', Buffer.from(XZ, 'base64')],
    ['zstd', Buffer.from(ZSTD, 'base64')],
    ['nothing', Buffer.from(LOG)],
  ])('%s: told by the first bytes, the same machine', async (name, bytes) => {
    const plain = await loadMachine(await write('plain.log', LOG));
    const packed = await loadMachine(await write(`${name}.log`, bytes));
    expect(packed.description.firmware).toEqual(plain.description.firmware);
    expect(packed.description.kernel).toEqual(plain.description.kernel);
  });

  test.each([
    ['gzip', gzipSync(LOG).subarray(0, 60)],
    ['xz', Buffer.from(XZ, 'base64').subarray(0, 60)],
    ['zstd', Buffer.from(ZSTD, 'base64').subarray(0, 60)],
  ])('%s cut short is an error that names the file', async (name, bytes) => {
    const path = await write(`cut-${name}.log`, bytes);
    await expect(loadMachine(path)).rejects.toMatchObject({
      code: 'ERR_BOOTMEM_READ',
      message: expect.stringContaining(path) as unknown,
    });
  });

  test('what expands to more than the bound is refused', async () => {
    const path = await write('bomb.gz', gzipSync(Buffer.alloc(3 * 2 ** 20, 'x')));
    const read = async (most: number): Promise<number> => {
      let size = 0;
      for await (const chunk of expanded(path, { most })) size += chunk.byteLength;
      return size;
    };
    await expect(read(2 ** 20)).rejects.toMatchObject({ code: 'ERR_BOOTMEM_INPUT' });
    expect(await read(3 * 2 ** 20)).toBe(3 * 2 ** 20);
  });
});

describe('a log in two halves', () => {
  const lines = readFileSync(join(FIXTURES, 'k61-4n-odd', 'dmesg.txt'), 'utf8')
    .trimEnd()
    .split('\n');
  const bare = lines.map((line) => line.replace(/^<\d+>/, ''));

  test('console and ring are joined at their overlap, whatever is around the lines', () => {
    const console = bare.slice(0, 300).join('\r\n');
    const ring = lines.slice(260).join('\n');
    const joined = joinLogs(console, ring)!;
    expect(
      joined
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^<\d+>/, '').trimEnd()),
    ).toEqual(bare.map((line) => line.trimEnd()));
  });

  test('two logs that do not overlap are not joined', () => {
    expect(joinLogs(bare.slice(0, 200).join('\n'), lines.slice(260).join('\n'))).toBeUndefined();
    // One equal line is chance: the console would go on otherwise.
    const other = [...bare.slice(0, 260), bare[260]!, 'something else'].join('\n');
    expect(joinLogs(other, lines.slice(260).join('\n'))).toBeUndefined();
  });

  test('a recorded boot whose ring has lost its beginning gives the facts of the whole log', async () => {
    const whole = await checkLog(await write('whole.txt', lines.join('\n')));
    await write('console.txt', bare.slice(0, 300).join('\n'));
    await write('dmesg.txt', lines.slice(260).join('\n'));
    const halves = await checkLog(folder);
    await rm(join(folder, 'console.txt'));
    await rm(join(folder, 'dmesg.txt'));
    expect(halves.facts).toEqual(whole.facts);
    expect(halves.equal).toBeGreaterThan(20);
  });
});

describe('files of /proc without a log', () => {
  const ZONEINFO = readFileSync(join(FIXTURES, 'k61-4n-odd', 'zoneinfo.txt'), 'utf8');
  const IOMEM = readFileSync(join(FIXTURES, 'k61-4n-odd', 'iomem.txt'), 'utf8');

  test('a folder without dmesg is read; nothing differs, and what needs a log is not derivable', async () => {
    const own = await mkdtemp(join(folder, 'proc-'));
    await writeFile(join(own, 'zoneinfo.txt'), ZONEINFO);
    await writeFile(join(own, 'iomem.txt'), IOMEM);
    const report = await checkLog(own);
    expect(report.rejected).toBeUndefined();
    expect(report.differs).toBe(0);
    expect(report.kernel).toBe('unknown');
    const reasons = (fact: string): (string | undefined)[] =>
      report.facts.filter((one) => one.fact === fact).map(({ reason }) => reason);
    expect(new Set(reasons('watermarks'))).toEqual(
      new Set(['what was given back late is not known without a whole boot log']),
    );
    await writeFile(join(own, 'version.txt'), 'Linux version 6.1.0-13-amd64 (a@b) #1 SMP\n');
    expect((await checkLog(own)).kernel).toBe('6.1.0-13-amd64');
  });

  test('zoneinfo alone: spans are no facts, for memory was laid out from them', async () => {
    const report = await checkLog(await write('zones', ZONEINFO));
    expect(report.rejected).toBeUndefined();
    expect(report.differs).toBe(0);
    const spans = report.facts.filter(({ fact }) => fact === 'spanned pages');
    expect(spans.length).toBeGreaterThan(0);
    expect(spans.every(({ verdict }) => verdict === 'not derivable')).toBe(true);
  });

  test('an empty folder is an error that names it', async () => {
    const own = await mkdtemp(join(folder, 'empty-'));
    expect((await checkLog(own)).rejected).toMatch(own);
  });
});

test('a log whose release is lost: what depends on it is not derivable, the rest is equal', async () => {
  const lines = readFileSync(join(FIXTURES, 'k61-4n-odd', 'dmesg.txt'), 'utf8').split('\n');
  const known = await checkLog(await write('known.log', lines.join('\n')));
  const lost = await checkLog(
    await write('lost.log', lines.filter((line) => !line.includes('Linux version')).join('\n')),
  );
  expect(lost.differs).toBe(0);
  expect(lost.equal).toBeGreaterThan(10);
  expect(lost.equal).toBeLessThan(known.equal);
  const reasons = new Set(lost.facts.map(({ reason }) => reason));
  expect(reasons).toContain('the kernel release is not in the log');
});

test('numa=fake on a log that ends before nodes are printed: dealt out by rule, with a note', async () => {
  const report = await checkLog(
    await write('fake.log', LOG.replace('Command line: ro', 'Command line: ro numa=fake=2')),
  );
  expect(report.notes.join('\n')).toMatch(/numa=fake=2: 2 nodes/);
});
