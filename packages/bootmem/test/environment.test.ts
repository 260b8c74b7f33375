// The program where little is to be had: closed streams, a reader that leaves at any byte, few files, little address space, no
// environment, a folder that nothing can be written to, signals of a terminal.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { e820Log } from './helpers/e820-log.js';
import { FIXTURES } from './helpers/run.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const SAMPLE = join(FIXTURES, 'k61-4n-odd');
// `ulimit`, /dev/full and /proc are what these are made with; elsewhere there is nothing to run them on.
const onLinux = process.platform === 'linux' ? describe : describe.skip;

interface Ended {
  readonly code: number | string | null | undefined;
  readonly out: string;
  readonly err: string;
}

/** A line of bash in which `$NODE $CLI` is the program and `$LOG` the sample. */
async function shell(script: string, env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  const options = {
    env: { ...env, NODE: process.execPath, CLI, LOG: SAMPLE },
    cwd: folder,
    maxBuffer: 2 ** 26,
  };
  return await new Promise((resolve) => {
    execFile('bash', ['-c', script], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : error.code, out, err });
    });
  });
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootmem-environment-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

onLinux('streams', () => {
  test.each(['<&-', '>&-', '2>&-', '<&- >&- 2>&-'])('%s: done, without a word', async (closed) => {
    const { code, err } = await shell(`"$NODE" "$CLI" check "$LOG" ${closed}`);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test('a reader that leaves after any number of bytes is no failure', async () => {
    for (const bytes of [0, 1, 2, 80, 4096, 65536, 65537]) {
      const { code, out, err } = await shell(
        `"$NODE" "$CLI" check --all --json "$LOG" | head -c ${bytes} | wc -c; echo "\${PIPESTATUS[0]}"`,
      );
      expect({ bytes, code, err }).toEqual({ bytes, code: 0, err: '' });
      expect(out.trim().split('\n')[1]).toBe('0');
    }
  });

  test.each(['TERM', 'INT'])(
    'SIG%s ends a command that waits for a pipe, though the writer stays',
    async (name) => {
      const preload = new URL('./helpers/tell-reading.mjs', import.meta.url).href;
      // The shell keeps the pipe open for writing: nothing but the signal ends the reading.
      const script =
        'mkfifo silent-$0; exec 4<>silent-$0; exec "$NODE" --import "$PRELOAD" "$CLI" check - <silent-$0';
      const child = spawn('bash', ['--norc', '-c', script, name], {
        cwd: folder,
        env: { ...process.env, NODE: process.execPath, CLI, PRELOAD: preload },
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      let err = '';
      child.stderr!.on('data', (chunk: Buffer) => (err += chunk.toString()));
      const ended = once(child, 'close');
      await once(child, 'message');
      child.kill(`SIG${name}` as NodeJS.Signals);
      expect(await ended).toEqual([name === 'TERM' ? 143 : 130, null]);
      expect(err).toBe('interrupted\n');
    },
  );

  test('files are written though nobody reads what is printed', async () => {
    const { out, err } = await shell(
      '"$NODE" "$CLI" boot "$LOG" --threads 1 --trace unread.json --metrics unread.txt | true; echo "${PIPESTATUS[0]}"',
    );
    expect({ out, err }).toEqual({ out: '0\n', err: '' });
    expect(JSON.parse(await readFile(join(folder, 'unread.json'), 'utf8'))).toHaveProperty(
      'traceEvents',
    );
    expect(await readFile(join(folder, 'unread.txt'), 'utf8')).toMatch(/# EOF\n$/);
  });

  test('a reader that stops reading keeps no signal from ending the program', async () => {
    const log = join(folder, 'wide.log');
    await writeFile(log, e820Log(20_000));
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      const child = spawn(process.execPath, [CLI, 'check', '--json', log], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const ended = once(child, 'exit');
      await once(child.stdout, 'readable');
      child.kill(name);
      const [code, by] = (await ended) as [number | null, string | null];
      expect([name, name === 'SIGTERM' ? 143 : 130]).toContain(by ?? code);
      child.stdout.destroy();
    }
  });

  test.each([
    ['a folder', '< .', 'it is a folder'],
    ['a file that is open for writing only', '0> only.txt', 'EBADF'],
  ])('standard input that is %s is an error in a line', async (_what, input, why) => {
    const { code, out, err } = await shell(`"$NODE" "$CLI" check --json - ${input}`);
    expect(code).toBe(2);
    expect(`${out}${err}`).toContain(`cannot read -: ${why}`);
    expect(`${out}${err}`.trim().split('\n')).toHaveLength(1);
    const page = `"$NODE" "$CLI" report "$LOG" -o - --rounds 1 --threads 1 ${input}`;
    const unread = await shell(page);
    expect([unread.code, unread.err, unread.out.slice(0, 15)]).toEqual([0, '', '<!doctype html>']);
  });
});

onLinux('limits of the process', () => {
  test('with few files that may be open, memory blocks are all read', async () => {
    const root = join(folder, 'blocks');
    const memory = join(root, 'sys/devices/system/memory');
    await mkdir(memory, { recursive: true });
    await mkdir(join(root, 'proc'));
    await cp(join(SAMPLE, 'zoneinfo.txt'), join(root, 'proc/zoneinfo'));
    await writeFile(join(root, 'proc/iomem'), '00100000-3fffffff : System RAM\n');
    await writeFile(join(memory, 'block_size_bytes'), '8000000\n');
    for (let index = 0; index < 300; index++) {
      await mkdir(join(memory, `memory${index}`));
      await writeFile(join(memory, `memory${index}`, 'state'), 'online\n');
      await writeFile(join(memory, `memory${index}`, 'valid_zones'), 'Normal\n');
    }
    const { code, out } = await shell(
      `ulimit -n 256; "$NODE" "$CLI" lsmem --json --sysroot ${root}`,
    );
    expect(code).toBe(0);
    expect((JSON.parse(out) as { onlineBytes: number }).onlineBytes).toBe(300 * 2 ** 27);
  });

  test('a file that may not grow is an error with a code, and nothing is left of it', async () => {
    const { code, err } = await shell(
      'ulimit -f 1; "$NODE" "$CLI" report "$LOG" -o page.html --rounds 1 --threads 1 --quiet',
    );
    expect(code).toBe(1);
    expect(err).toMatch(/^bootmem: cannot write page\.html: .*EFBIG/);
    expect((await readdir(folder)).filter((name) => name.includes('page.html'))).toEqual([]);
  });

  test('address space that is not to be had is an error with a code', async () => {
    const { code, out, err } = await shell(
      'ulimit -v 16000000; "$NODE" "$CLI" boot --memory 4096G --threads 1 --json',
    );
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^bootmem: /);
    expect(err).not.toMatch(/a fault of this program|\n.*\n/);
  });
});

onLinux('surroundings', () => {
  test('a current folder that has gone is an error in a line', async () => {
    const { code, out, err } = await shell(
      'mkdir gone && cd gone && rmdir ../gone && "$NODE" "$CLI" check "$LOG"',
    );
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^bootmem: cannot read the current folder: ENOENT[^\n]*\n$/);
  });

  test('two pipes are read without a word of the engine', async () => {
    const { code, err } = await shell(
      '"$NODE" "$CLI" explain <(cat "$LOG/dmesg.txt") <(cat "$LOG/dmesg.txt")',
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test('no environment at all', async () => {
    const { code, out, err } = await shell('env -i "$NODE" "$CLI" check "$LOG"');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('equal');
  });

  test('a folder in which nothing can be made: told before the work', async () => {
    const { code, out, err } = await shell('cd /proc && "$NODE" "$CLI" report "$LOG"');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^bootmem: cannot write report\.html: /);
  });

  test('a name with a line end forges no line', async () => {
    await symlink(SAMPLE, join(folder, 'a\nbootmem: forged'));
    for (const script of [
      'check a*',
      'check --all a* a*',
      'explain a* a*',
      'numa a*',
      'check a*x',
    ]) {
      const { out, err } = await shell(`cd "${folder}" && "$NODE" "$CLI" ${script}`);
      expect(`${out}${err}`).not.toMatch(/^bootmem: forged/m);
    }
  });
});

onLinux('signals of a terminal', () => {
  test('one that hangs up ends the program, and no file is left', async () => {
    const page = join(folder, 'hung.html');
    const child = spawn(process.execPath, [CLI, 'report', SAMPLE, '-o', page, '--rounds', '50']);
    const ended = once(child, 'close');
    await once(child, 'spawn');
    child.kill('SIGHUP');
    expect(await ended).toEqual([null, 'SIGHUP']);
    expect((await readdir(folder)).filter((name) => name.includes('hung'))).toEqual([]);
  });

  test('stopped and continued, it goes on as if nothing had been', async () => {
    const args = [CLI, 'check', SAMPLE, '--json'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const ended = once(child, 'close');
    for (let times = 0; times < 5; times++) {
      child.kill('SIGSTOP');
      await readFile(SAMPLE).catch(() => undefined);
      child.kill('SIGCONT');
    }
    expect(await ended).toEqual([0, null]);
    expect((JSON.parse(out) as { schema: string }).schema).toContain('check');
  });
});
