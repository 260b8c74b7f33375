// Whatever lies under a name: an error that names it and has a code, or the machine; never a wait that nothing ends.
import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadMachine } from '../dist/index.js';
import { bytesIfAny, bytesOf } from '../dist/input/open-input.js';
import { run } from './helpers/run.js';

const SAMPLE = fileURLToPath(new URL('../samples/k61-4n-odd', import.meta.url));
const isLinux = process.platform === 'linux';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootmem-odd-'));
  await symlink(join(folder, 'loop'), join(folder, 'loop'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A copy of a recorded boot. */
async function boot(name: string): Promise<string> {
  const copy = join(folder, name);
  await cp(SAMPLE, copy, { recursive: true });
  return copy;
}

const COMMANDS = ['boot', 'check', 'explain', 'what-if', 'replay', 'numa', 'lsmem', 'phases'];

test.each([
  ['a loop of links', () => join(folder, 'loop'), 'ELOOP'],
  ['a name that is too long', () => join(folder, 'x'.repeat(5000)), 'ENAMETOOLONG'],
  ['a name with a zero byte', () => join(folder, 'a\0b'), 'null bytes'],
  ['a file as a folder', () => join(SAMPLE, 'dmesg.txt', 'dmesg.txt'), 'ENOTDIR'],
  ['nothing', () => join(folder, 'nothing'), 'ENOENT'],
  ['no name', () => '', 'ENOENT'],
])('%s: every command ends with 2 and a line about it', async (_what, path, why) => {
  for (const command of COMMANDS) {
    const { code, out, err } = await run([command, path()]);
    expect([command, code]).toEqual([command, 2]);
    expect(`${out}${err}`).toContain(why);
    expect(err).not.toContain('a fault of this program');
  }
});

test('memory blocks that cannot be listed are an error, blocks that are not there are none', async () => {
  const root = join(folder, 'listed');
  const memory = join(root, 'sys/devices/system/memory');
  await mkdir(join(root, 'sys/devices/system'), { recursive: true });
  await mkdir(join(root, 'proc'));
  await writeFile(join(root, 'proc/iomem'), '00100000-3fffffff : System RAM\n');
  expect((await loadMachine(undefined, { sysroot: root })).blocks).toBeUndefined();
  await symlink('memory', memory);
  await expect(loadMachine(undefined, { sysroot: root })).rejects.toMatchObject({
    code: 'ERR_BOOTMEM_READ',
    message: expect.stringContaining('ELOOP') as unknown,
  });
});

describe('beside a log', () => {
  test('a folder, a loop of links and what cannot be read are errors, whichever file it is', async () => {
    for (const file of ['zoneinfo.txt', 'iomem.txt', 'memory_blocks.txt', 'buddyinfo.txt']) {
      const own = await boot(`beside-${file}`);
      await rm(join(own, file), { force: true });
      await mkdir(join(own, file));
      await expect(loadMachine(own)).rejects.toMatchObject({
        code: 'ERR_BOOTMEM_READ',
        message: `cannot read ${join(own, file)}: it is no plain file`,
      });
      await rm(join(own, file), { recursive: true });
      await symlink(file, join(own, file));
      await expect(loadMachine(own)).rejects.toMatchObject({
        code: 'ERR_BOOTMEM_READ',
        message: expect.stringContaining('ELOOP') as unknown,
      });
      if (!isLinux) continue;
      await rm(join(own, file));
      // A plain file whose first byte cannot be read, by root neither.
      await symlink('/proc/self/mem', join(own, file));
      await expect(loadMachine(own)).rejects.toMatchObject({
        code: 'ERR_BOOTMEM_READ',
        message: expect.stringContaining('EIO') as unknown,
      });
    }
  });

  test('a file that has gone says nothing', async () => {
    const own = await boot('gone');
    await rm(join(own, 'zoneinfo.txt'));
    // A link whose target has gone counts as gone.
    await symlink(join(own, 'no such file'), join(own, 'zoneinfo.txt'));
    expect((await loadMachine(own)).description.proc.zoneinfo).toBeUndefined();
    expect(await bytesIfAny(join(own, 'nothing'))).toBeUndefined();
  });

  test('a log that is a folder, or a loop, is an error', async () => {
    for (const name of ['dmesg.txt', 'console.txt']) {
      const own = join(folder, `log-${name}`);
      await mkdir(join(own, name), { recursive: true });
      await expect(loadMachine(own)).rejects.toMatchObject({ code: 'ERR_BOOTMEM_READ' });
      await rm(join(own, name), { recursive: true });
      await symlink(name, join(own, name));
      await expect(loadMachine(own)).rejects.toMatchObject({ code: 'ERR_BOOTMEM_READ' });
    }
  });
});

(isLinux ? describe : describe.skip)('pipes with names', () => {
  const pipe = (name: string): string => {
    const path = join(folder, name);
    execFileSync('mkfifo', [path]);
    return path;
  };

  test('one is read to its end', async () => {
    const path = pipe('log');
    const [machine] = await Promise.all([
      loadMachine(path),
      readFile(join(SAMPLE, 'dmesg.txt')).then((text) => writeFile(path, text)),
    ]);
    expect(machine.description.kernel?.release).toMatch(/^6\.1\./);
  });

  test('one that nobody writes to ends with the signal', async () => {
    const abort = new AbortController();
    const reading = bytesOf(pipe('silent'), { signal: abort.signal }).next();
    setTimeout(() => {
      abort.abort(new Error('enough'));
    });
    await expect(reading).rejects.toThrow('enough');
  });

  test('a signal keeps no listener of a file that was read', async () => {
    const { signal } = new AbortController();
    const found: number[] = [];
    for (let times = 0; times < 3; times++) {
      for await (const chunk of bytesOf(join(SAMPLE, 'dmesg.txt'), { signal })) {
        found.push(chunk.byteLength > 0 ? getEventListeners(signal, 'abort').length : -1);
        break;
      }
      found.push(getEventListeners(signal, 'abort').length);
    }
    expect(found).toEqual([1, 0, 1, 0, 1, 0]);
  });

  test('one beside a log is no file to wait for', async () => {
    const own = await boot('with-pipe');
    await rm(join(own, 'zoneinfo.txt'));
    execFileSync('mkfifo', [join(own, 'zoneinfo.txt')]);
    await expect(loadMachine(own)).rejects.toMatchObject({ code: 'ERR_BOOTMEM_READ' });
  });

  test('one that took the place of a file beside a log is no file to wait for either', async () => {
    const reading = bytesOf(pipe('taken'), { isPlain: true }).next();
    await expect(reading).rejects.toMatchObject({
      code: 'ERR_BOOTMEM_READ',
      message: `cannot read ${join(folder, 'taken')}: it is no plain file`,
    });
  });

  test('a device without end is refused at the size that is stated', async () => {
    let size = 0;
    const reading = (async () => {
      for await (const chunk of bytesOf('/dev/zero', { most: 2 ** 22 })) size += chunk.byteLength;
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'ERR_BOOTMEM_INPUT',
      message: '/dev/zero holds more than 4 MiB: no log is so long',
    });
    expect(size).toBe(2 ** 22);
  });
});

test('two boots of the same folder at once, and two pages under the same name', async () => {
  const own = await boot('shared');
  const page = join(folder, 'page.html');
  const args = ['report', own, '-o', page, '--rounds', '1', '--threads', '1', '--quiet'];
  const outcomes = await Promise.all([
    run(['boot', own, '--threads', '2', '--json']),
    run(['boot', own, '--threads', '2', '--json']),
    run(args),
    run(args),
  ]);
  expect(outcomes.map(({ code, err }) => [code, err])).toEqual(outcomes.map(() => [0, '']));
  const [one, other] = outcomes
    .slice(0, 2)
    .map(({ out }) => (JSON.parse(out) as { zones: { freeBlocks: unknown }[] }).zones);
  expect(one).toEqual(other);
  expect(await readFile(page, 'utf8')).toMatch(/^<!doctype html>[^]*<\/html>\s*$/);
});
