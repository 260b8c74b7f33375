// What a packed file claims is known before anything is allocated for it, wherever in the file it is claimed.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expanded } from '../dist/input/unpack/expand.js';
import { follow } from '../dist/input/unpack/follow.js';
import { xzWalk } from '../dist/input/unpack/xz-walk.js';
import { zstdWalk } from '../dist/input/unpack/zstd-walk.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootmem-unpack-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What comes out of a file with these bytes. */
async function unpacked(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'packed');
  await writeFile(path, bytes);
  const pieces: Uint8Array[] = [];
  for await (const piece of expanded(path)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** A block of zstd: raw text, or one byte `times` over. */
function block(content: string, { isLast = true, times = 0 } = {}): Buffer {
  const size = times > 0 ? times : content.length;
  const header = Number(isLast) + 2 * Number(times > 0) + 8 * size;
  return Buffer.concat([Buffer.from([header, header >> 8, header >> 16]), Buffer.from(content)]);
}

/** Header bytes of a frame whose window is 2**log bytes. */
const windowOf = (log: number): number[] => [0, (log - 10) << 3];
const frame = (header: readonly number[], ...blocks: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([...MAGIC, ...header]), ...blocks]);
const skippable = (size: number): Buffer =>
  Buffer.from([0x53, 0x2a, 0x4d, 0x18, size, 0, 0, 0, ...Buffer.alloc(size)]);

const LONG = 'a frame and a block make eighteen bytes. ';
const ONE = frame(windowOf(20), block(LONG));

const REFUSED = (what: RegExp): unknown =>
  expect.objectContaining({
    code: 'ERR_BOOTMEM_INPUT',
    message: expect.stringMatching(what) as unknown,
  });
const WINDOW = REFUSED(
  /needs a window of (128|256|2048|2097152|4294967296) MiB to be unpacked, and 64/,
);

describe('zstd', () => {
  test('frames of every form of header, and what may be skipped', async () => {
    const size = LONG.length;
    const frames = [
      ONE,
      skippable(5),
      frame([0x20, size], block(LONG)),
      frame([0x60, size, 0], block(LONG.padEnd(256 + size, '.'))),
      frame([0xa0, size, 0, 0, 0], block(LONG)),
      frame([0xe0, size, 0, 0, 0, 0, 0, 0, 0], block(LONG)),
      frame([0x04, 0x50], block('x', { times: 30, isLast: false }), block(LONG), Buffer.alloc(4)),
    ];
    expect(await unpacked(Buffer.concat(frames))).toBe(
      `${LONG}${LONG}${LONG.padEnd(256 + size, '.')}${LONG}${LONG}${'x'.repeat(30)}${LONG}`,
    );
  });

  test.each([
    ['a window', frame(windowOf(31), block(LONG))],
    ['the largest window', frame([0, 0xf8], block(LONG))],
    ['a content', frame([0xa0, 0, 0, 0, 0x80], block(LONG))],
    ['a content of 64 bits', frame([0xe0, 0, 0, 0, 0, 0, 0, 16, 0], block(LONG))],
    ['the window of a second frame', Buffer.concat([ONE, frame(windowOf(27), block(LONG))])],
    ['one behind what is skipped', Buffer.concat([skippable(9), frame(windowOf(31), block(LONG))])],
  ])('%s beyond the bound is refused', async (_what, bytes) => {
    await expect(unpacked(bytes)).rejects.toEqual(WINDOW);
  });

  test('a window at the bound is used', async () => {
    expect(await unpacked(frame(windowOf(26), block(LONG)))).toBe(LONG);
  });

  test('a window that is moved for every byte is refused before it is', async () => {
    const blocks = Array.from({ length: 300 }, () => block('x', { isLast: false, times: 1 }));
    await expect(unpacked(frame(windowOf(26), ...blocks, block(LONG)))).rejects.toEqual(
      REFUSED(/has too many blocks for its window/),
    );
    expect(await unpacked(frame(windowOf(20), ...blocks, block(LONG)))).toBe(
      'x'.repeat(300) + LONG,
    );
  });
});

// Fifty times x by xz 5.4: in blocks of 40, and with dictionaries of 128 MiB and 64 MiB.
const BLOCKS = Buffer.from(
  '/Td6WFoAAATm1rRGAgAhAQAAAAA3J5fW4AAnAAZdADxuJgAAAAAAAL9GPcAnWj8vAgAhAQAAAAA3J5fW4AAJAAZdADxrfAAAAAAAAJhPtU19mP30AAIiKCIKAADb7MROscRn+wIAAAAABFla',
  'base64',
);
const LARGE = Buffer.from(
  '/Td6WFoAAATm1rRGAgAhAR4AAACbB1Fm4AAxAAZdADxuOgAAAAAAAGNDHV031JiTAAEiMoui408ftvN9AQAAAAAEWVo=',
  'base64',
);
const BEST = Buffer.from(
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4AAxAAZdADxuOgAAAAAAAGNDHV031JiTAAEiMoui408ftvN9AQAAAAAEWVo=',
  'base64',
);

describe('xz', () => {
  test('blocks are followed, and the preset -9 is admitted', async () => {
    expect(await unpacked(BLOCKS)).toBe('x'.repeat(50));
    expect(await unpacked(BEST)).toBe('x'.repeat(50));
    const claims: number[] = [];
    follow(xzWalk((bytes) => claims.push(bytes)))(BLOCKS);
    expect(claims).toEqual([4096, 4096]);
  });

  test('a dictionary beyond the bound is refused, in whichever block', async () => {
    await expect(unpacked(LARGE)).rejects.toEqual(WINDOW);
    // The second block is changed as the first of the other is; what its check says is not looked at before.
    const second = Buffer.from(BLOCKS);
    const properties = Buffer.from([0x21, 0x01, 0x00]);
    const at = second.indexOf(properties, second.indexOf(properties) + 1);
    expect(at).toBeGreaterThan(0);
    second[at + 2] = 32;
    await expect(unpacked(second)).rejects.toEqual(WINDOW);
  });
});

test('how a file is cut into pieces changes nothing', () => {
  const file = Buffer.concat([ONE, skippable(9), ONE, ONE]);
  const claimed = (cut: number): number[] => {
    const claims: number[] = [];
    const see = follow(
      zstdWalk(
        (bytes) => claims.push(bytes),
        (bytes) => claims.push(bytes),
      ),
    );
    for (let at = 0; at < file.byteLength; at += cut) see(file.subarray(at, at + cut));
    return claims;
  };
  const whole = claimed(file.byteLength);
  expect(whole).toHaveLength(6);
  for (let cut = 1; cut < 20; cut++) expect(claimed(cut)).toEqual(whole);
});
