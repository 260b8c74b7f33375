// Where a result goes, whatever stands under the name: nothing that is read is overwritten, links are followed, pipes are waited
// for by the event loop, what is open already gets its text at its end.
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import {
  cp,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openOutput } from '../dist/cli/output/output-file.js';
import { FIXTURES, run } from './helpers/run.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const SAMPLE = join(FIXTURES, 'k61-4n-odd');
const onLinux = process.platform === 'linux' ? describe : describe.skip;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootmem-output-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** An empty folder. */
async function own(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  return path;
}

const nothing = { source: {}, signal: new AbortController().signal };

/** Writes to a name; the code and words of what went wrong, or `written`. */
async function put(
  path: string,
  source: { file?: string; sysroot?: string } = {},
): Promise<string> {
  try {
    const target = await openOutput(path, { ...nothing, source });
    await target.write('a page\n');
    return 'written';
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return `${code ?? ''} ${message}`;
  }
}

describe('a name', () => {
  test('of the longest kind is written, a longer one is refused', async () => {
    const at = await own('long');
    const longest = join(at, 'x'.repeat(255));
    expect(await put(longest)).toBe('written');
    expect(await readFile(longest, 'utf8')).toBe('a page\n');
    expect(await put(`${longest}x`)).toMatch(/^ERR_BOOTMEM_WRITE .*ENAMETOOLONG/);
    expect(readdirSync(at)).toHaveLength(1);
  });

  test('that names no file is refused before anything is written', async () => {
    const at = await own('none');
    for (const path of ['', `${at}/page/`]) {
      await expect(openOutput(path, nothing)).rejects.toMatchObject({
        code: 'ERR_BOOTMEM_WRITE',
        message: `cannot write ${path}: it names no file`,
      });
    }
    for (const path of ['.', '..', at, `${at}/`]) {
      expect(await put(path)).toMatch(/^ERR_BOOTMEM_WRITE .*: it is a folder$/);
    }
    expect(readdirSync(at)).toEqual([]);
  });
});

describe('a link', () => {
  test('stays, and the file that it leads to is written, whether it is there or not', async () => {
    const at = await own('links');
    await mkdir(join(at, 'far'));
    await symlink('far', join(at, 'near'));
    await writeFile(join(at, 'far', 'old'), 'what was there');
    // By two links, one of them relative to a folder that is a link itself.
    await symlink('../far/old', join(at, 'far', 'second'));
    await symlink('near/second', join(at, 'to-old'));
    await symlink('near/new', join(at, 'to-new'));
    expect(await put(join(at, 'to-old'))).toBe('written');
    expect(await put(join(at, 'to-new'))).toBe('written');
    expect(await readFile(join(at, 'far', 'old'), 'utf8')).toBe('a page\n');
    expect(await readFile(join(at, 'far', 'new'), 'utf8')).toBe('a page\n');
    expect(await readlink(join(at, 'to-old'))).toBe('near/second');
    expect(await readlink(join(at, 'to-new'))).toBe('near/new');
    expect(readdirSync(join(at, 'far')).sort()).toEqual(['new', 'old', 'second']);
  });

  test('that leads nowhere, to itself, or to a folder is an error', async () => {
    const at = await own('loops');
    await symlink('loop', join(at, 'loop'));
    await symlink('none/page', join(at, 'lost'));
    await symlink('.', join(at, 'folder'));
    expect(await put(join(at, 'loop'))).toMatch(/^ERR_BOOTMEM_WRITE .*ELOOP/);
    expect(await put(join(at, 'lost'))).toMatch(/^ERR_BOOTMEM_WRITE .*ENOENT/);
    expect(await put(join(at, 'folder'))).toMatch(/^ERR_BOOTMEM_WRITE .*it is a folder$/);
  });
});

describe('what is read is not overwritten', () => {
  const refused = /^ERR_BOOTMEM_USAGE .*is what is read: it is not overwritten$/;

  test('a log, by its name, by a link, by another name of the same file', async () => {
    const at = await own('log');
    const log = join(at, 'a.log');
    await cp(join(SAMPLE, 'dmesg.txt'), log);
    await symlink(log, join(at, 'link'));
    await link(log, join(at, 'hard'));
    for (const name of ['a.log', 'link', 'hard', '../log/a.log'])
      expect(await put(join(at, name), { file: log })).toMatch(refused);
    expect(await put(log, { file: join(at, 'link') })).toMatch(refused);
    expect(await readFile(log)).toEqual(await readFile(join(SAMPLE, 'dmesg.txt')));
  });

  test('a recorded boot, of which every file may be read, named by its folder or by its log', async () => {
    const at = join(folder, 'boot');
    await cp(SAMPLE, at, { recursive: true });
    await writeFile(join(at, 'memory_blocks_added.txt'), '');
    await writeFile(join(at, 'zoneinfo_added.txt'), '');
    await symlink('boot', join(folder, 'boot-link'));
    const files = ['dmesg.txt', 'zoneinfo.txt', 'zoneinfo_added.txt', 'memory_blocks_added.txt'];
    for (const file of [at, join(at, 'dmesg.txt'), join(folder, 'boot-link')]) {
      for (const name of files) {
        expect(await put(join(at, name), { file })).toMatch(refused);
        expect(await put(join(folder, 'boot-link', name), { file })).toMatch(refused);
      }
    }
    // Its own page, again and again; and a file of another boot.
    for (let times = 0; times < 2; times++) {
      expect(await put(join(at, 'page.html'), { file: at })).toBe('written');
    }
    expect(await put(join(at, 'zoneinfo.txt'), { file: join(folder, 'log', 'a.log') })).toBe(
      'written',
    );
  });

  test('files of a root of /proc and /sys', async () => {
    const root = await own('root');
    await mkdir(join(root, 'proc'));
    await writeFile(join(root, 'proc', 'iomem'), '00100000-3fffffff : System RAM\n');
    expect(await put(join(root, 'proc', 'iomem'), { sysroot: root })).toMatch(refused);
    expect(await put(join(root, 'page.html'), { sysroot: root })).toBe('written');
  });

  test('by the command: the log in a folder, and standard input, are told before the work', async () => {
    const at = join(folder, 'told');
    await cp(SAMPLE, at, { recursive: true });
    const log = join(at, 'dmesg.txt');
    for (const option of ['--trace', '--metrics']) {
      const { code, out, err } = await run(['boot', at, option, log]);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain('it is not overwritten');
    }
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      `"${process.execPath}" "${CLI}" report - -o "${log}" < "${log}" 2>&1; echo "code $?"`,
    ]);
    expect(stdout).toMatch(/^bootmem: .*it is not overwritten\ncode 2\n$/);
    expect(await readFile(log)).toEqual(await readFile(join(SAMPLE, 'dmesg.txt')));
  });
});

test('two results under one name are refused, on a device they are not', async () => {
  const at = await own('two');
  await symlink('result', join(at, 'link'));
  const boot = ['boot', '--memory', '16M', '--threads', '1', '--quiet'];
  const { code, err } = await run([
    ...boot,
    '--trace',
    join(at, 'result'),
    '--metrics',
    join(at, 'link'),
  ]);
  expect([code, err]).toEqual([2, 'bootmem: --trace and --metrics name the same file\n']);
  expect(readdirSync(at)).toEqual(['link']);
  if (!existsSync('/dev/null')) return;
  const { code: done } = await run([...boot, '--trace', '/dev/null', '--metrics', '/dev/null']);
  expect(done).toBe(0);
});

onLinux('a pipe with a name', () => {
  const pipe = (name: string): string => {
    const path = join(folder, name);
    execFileSync('mkfifo', [path]);
    return path;
  };

  test('gets the whole text, as slowly as it is read', async () => {
    const path = pipe('read');
    const target = await openOutput(path, nothing);
    const text = 'a line of a page\n'.repeat(100_000);
    const writing = target.write(text);
    const reader = await open(path, 'r');
    let size = 0;
    for await (const chunk of reader.createReadStream({ highWaterMark: 4096 })) {
      size += (chunk as Buffer).byteLength;
    }
    await writing;
    expect(size).toBe(text.length);
  });

  test('that nobody reads is waited for until the signal', async () => {
    const abort = new AbortController();
    const target = await openOutput(pipe('unread'), { source: {}, signal: abort.signal });
    const writing = target.write('a page');
    const reason = new Error('enough');
    setTimeout(() => {
      abort.abort(reason);
    });
    await expect(writing).rejects.toBe(reason);
  });

  test('whose reader stops reading is waited for until the signal', async () => {
    const path = pipe('stopped');
    const abort = new AbortController();
    const target = await openOutput(path, { source: {}, signal: abort.signal });
    const reader = await open(path, 'r+');
    const writing = target.write('x'.repeat(2 ** 20));
    const reason = new Error('enough');
    setTimeout(() => {
      abort.abort(reason);
    });
    await expect(writing).rejects.toBe(reason);
    await reader.close();
  });

  test('whose reader leaves is an error', async () => {
    const path = pipe('left');
    const target = await openOutput(path, nothing);
    // Looked at before it may happen: nobody else would.
    const refused = expect(target.write('x'.repeat(2 ** 20))).rejects.toMatchObject({
      code: 'ERR_BOOTMEM_WRITE',
      message: expect.stringContaining('EPIPE') as unknown,
    });
    const reader = await open(path, 'r');
    await reader.read(Buffer.alloc(10));
    await reader.close();
    await refused;
  });

  test('a socket is told before the work', async () => {
    const path = join(folder, 'socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    expect(await put(path)).toBe(
      `ERR_BOOTMEM_WRITE cannot write ${path}: it is a socket; - is standard output`,
    );
    server.close();
  });
});

onLinux('what is open already', () => {
  test('gets the text behind what it holds, and stays what it is', async () => {
    const path = join(folder, 'printed');
    await writeFile(path, 'before\n');
    const { ino } = await lstat(path);
    const file = await open(path, 'a');
    // As /dev/stdout does: a link to a link of /proc.
    await symlink(`/proc/self/fd/${file.fd}`, join(folder, 'stdout'));
    expect(await put(join(folder, 'stdout'))).toBe('written');
    expect(await put(`/dev/fd/${file.fd}`)).toBe('written');
    await file.close();
    expect(await readFile(path, 'utf8')).toBe('before\na page\na page\n');
    expect((await lstat(path)).ino).toBe(ino);
    expect(await readlink(join(folder, 'stdout'))).toMatch(/^\/proc/);
  });
});

test('no result holds a control or a mark of direction, whatever its machine is called', async () => {
  const at = await own('named');
  const evil = '\u001b]0;owned\u0007\u009b31m\u202e\u200b\u{e0041}';
  const log = join(at, `log${evil}`);
  const text = await readFile(join(SAMPLE, 'dmesg.txt'), 'utf8');
  await writeFile(log, text.replace('Command line: ', `Command line: crashkernel=9999G${evil} `));
  const [page, trace, metrics] = ['page', 'trace', 'metrics'].map((name) => join(at, name));
  const threads = ['--threads', '1', '--quiet'];
  const outcomes = [
    await run(['report', log, '-o', page!, '--rounds', '1', ...threads]),
    await run(['boot', log, '--trace', trace!, '--metrics', metrics!, ...threads]),
  ];
  expect(outcomes.map(({ code, err }) => [code, err])).toEqual([
    [0, ''],
    [0, ''],
  ]);
  for (const path of [page!, trace!, metrics!]) {
    const written = await readFile(path, 'utf8');
    // eslint-disable-next-line no-control-regex -- what must not be written
    expect(written).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202e\u200b\u{e0041}]/u);
    expect(written).toContain('\\u202e');
  }
});
