import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { FIXTURES, run } from './helpers/run.js';
import { validate } from './helpers/schemas.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

test('boot without arguments brings the sample up and shows zones, buddyinfo, times and shares', async () => {
  const { code, out, err } = await run(['boot', '--threads', '2']);
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(out).toMatch(/Early memory node ranges/);
  expect(out).toMatch(/^ +3 {2}Normal {2}0x000000019eb00000 +568832 +568832 +540870 /m);
  expect(out).toMatch(/^Node 3, zone {3}Normal /m);
  expect(out).toMatch(/time to first allocation +[\d.]+ ms/);
  expect(out).toMatch(/total time +[\d.]+ ms/);
  expect(out).toMatch(/pages\/s/);
  expect(out).toMatch(/threads +thread 0 [\d.]+ %/);
  expect(out).not.toContain('\u001b');
});

test('boot --json is one object that its schema describes', async () => {
  const { code, out } = await run(['boot', '--json']);
  expect(code).toBe(0);
  const report = JSON.parse(out) as { schema: string; version: number; zones: unknown[] };
  expect(report).toMatchObject({ schema: 'bootmem/boot', version: 1 });
  expect(report.zones).toHaveLength(6);
  await validate('boot', report);
});

test('boot --json of device and unaccepted memory is described by the schema too', async () => {
  const { out } = await run(['boot', '--json', '--memory', '4G', '--unaccepted', '2G']);
  const report = JSON.parse(out) as { unaccepted: { totalUnits: number } };
  expect(report.unaccepted.totalUnits).toBeGreaterThan(900);
  await validate('boot', report);
});

test('--quiet prints nothing', async () => {
  expect(await run(['boot', '--quiet'])).toEqual({ code: 0, out: '', err: '' });
  expect(await run(['check', '--quiet', `${FIXTURES}k61-1n-128m`])).toEqual({
    code: 0,
    out: '',
    err: '',
  });
});

test('--quiet prints nothing of JSON either, whatever is measured', async () => {
  const small = ['--memory', '1G', '--rounds', '1', '--threads', '1', '--json', '--quiet'];
  for (const args of [['bench'], ['bench', '--model'], ['bench', '--csv']]) {
    expect(await run([...args, ...small])).toEqual({ code: 0, out: '', err: '' });
  }
});

test('boot --mode on-demand grows while a quarter of memory is allocated, and says what is untouched', async () => {
  const { code, out } = await run(['boot', '--mode', 'on-demand', '--memory', '4G']);
  expect(code).toBe(0);
  expect(out).toMatch(/^allocated and freed 1 GiB in blocks of the largest order$/m);
  expect(out).toMatch(/grown on demand +\d+ times, [\d ]+ pages; [\d ]+ pages still untouched/);
  const most = await run(['boot', '--memory', '1G', '--demand', '2G']);
  expect(most.out).toMatch(/allocated and freed \d+ MiB .*; 2 GiB was asked for/);
});

test('lazy and eager acceptance of the same machine differ in units, not in pages', async () => {
  const args = ['boot', '--json', '--memory', '4G', '--unaccepted', '2G', '--accept'];
  const [lazy, eager] = await Promise.all(
    ['lazy', 'eager'].map(
      async (mode) =>
        JSON.parse((await run([...args, mode])).out) as {
          unaccepted: { acceptedUnits: number; totalUnits: number };
          zones: { freePages: number; unacceptedPages: number }[];
        },
    ),
  );
  expect(lazy!.unaccepted.acceptedUnits).toBeLessThan(100);
  expect(eager!.unaccepted.acceptedUnits).toBe(eager!.unaccepted.totalUnits);
  const pages = (report: typeof lazy) =>
    report!.zones.map((zone) => zone.freePages + zone.unacceptedPages);
  expect(pages(lazy)).toEqual(pages(eager));
});

test('check shows fact, kernel, ours and verdict, and its JSON fits the schema', async () => {
  const { code, out } = await run(['check', `${FIXTURES}k61-4n-odd`]);
  expect(code).toBe(0);
  expect(out).toMatch(
    /^zone range +Normal +0x0000000100000000-0x00000002298fffff +0x0000000100000000-0x00000002298fffff +equal$/m,
  );
  expect(out).toMatch(/^\d+ equal, 0 differ, \d+ not derivable$/m);
  const json = await run(['check', '--json', `${FIXTURES}k61-4n-odd`]);
  await validate('check', JSON.parse(json.out));
});

test('check of a log that contradicts itself names the fact and exits with 1', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bootmem-'));
  try {
    const log = await readFile(new URL('../samples/k61-4n-odd/dmesg.txt', import.meta.url), 'utf8');
    const file = join(folder, 'boot.log');
    const forged = log.replace(
      /(node +3: \[mem 0x000000019eb00000-)0x00000002298fffff/,
      '$10x00000002297fffff',
    );
    expect(forged).not.toBe(log);
    await writeFile(file, forged);
    const { code, out } = await run(['check', file]);
    expect(code).toBe(1);
    expect(out).toMatch(/early node range +node 3 .*2297fffff.*2298fffff +DIFFERS/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('check of many logs prints a line for each and counts by kind of fact', async () => {
  const { code, out } = await run([
    'check',
    `${FIXTURES}k61-1n-128m`,
    `${FIXTURES}k612-4n-small`,
    '/dev/null',
  ]);
  expect(code).toBe(2);
  expect(out).toMatch(/^ok +k61-1n-128m /m);
  expect(out).toMatch(/^ok +k612-4n-small /m);
  expect(out).toMatch(/^rejected +\S+/m);
  expect(out).toMatch(/^all +\d+ +0 +\d+ +100\.0 %$/m);
  expect(out).toMatch(/3 logs: .* 1 rejected/);
});

test('explain --json fits its schema, alone and for two boots', async () => {
  const one = await run(['explain', '--json', '--installed', '1G', `${FIXTURES}k61-4n-odd`]);
  expect(one.code).toBe(0);
  await validate('explain', JSON.parse(one.out));
  const two = await run(['explain', '--json', `${FIXTURES}k61-4n-odd`, `${FIXTURES}k612-4n-small`]);
  await validate('explain-comparison', JSON.parse(two.out));
  const evidence = await run(['explain', '--evidence', `${FIXTURES}k61-4n-odd`]);
  expect(evidence.out).toContain('memblock_alloc');
  expect(await run(['explain', '--quiet'])).toEqual({ code: 0, out: '', err: '' });
});

test('explain of two boots: Markdown compares them, evidence is of one', async () => {
  const two = [`${FIXTURES}k61-4n-odd`, `${FIXTURES}k612-4n-small`];
  const { out } = await run(['explain', '--markdown', ...two]);
  expect(out).toMatch(/^### Memory of k61\S+, and of k612\S+\n/);
  expect(out).toContain('| | first | second | difference |');
  const evidence = await run(['explain', '--evidence', ...two]);
  expect([evidence.code, evidence.err]).toEqual([2, expect.stringContaining('--evidence')]);
});

test('replay compares with the dumps, and its JSON fits the schema', async () => {
  const { code, out } = await run(['replay', '--dump', `${FIXTURES}k61-4n-odd`]);
  expect(code).toBe(0);
  expect(out).toMatch(/^equal +k61-4n-odd +\d+ +1\/1 +70\/70$/m);
  expect(out).toMatch(/^MEMBLOCK configuration:$/m);
  const json = await run(['replay', '--json', `${FIXTURES}k61-4n-odd`]);
  await validate('replay', JSON.parse(json.out));
});

test('replay of a log without memblock=debug says so and exits with 2', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bootmem-'));
  try {
    const file = join(folder, 'plain.log');
    await writeFile(file, 'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable\n');
    const { code, out } = await run(['replay', file]);
    expect(code).toBe(2);
    expect(out).toMatch(/nothing to replay/);
    expect(out).toMatch(/without memblock=debug/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('bench prints the table of the series, CSV with its column names, JSON that fits the schema', async () => {
  const args = ['bench', '--memory', '4G', '--threads', '2', '--rounds', '2'];
  const table = await run(args);
  expect(table.out).toMatch(/node% \(thr\) +boot speedup +time_ms +stdev +definit speedup/);
  expect(table.out).toMatch(/^ +0% \(0\) +-- /m);
  expect(table.out).toMatch(/^base: deferred, one thread a node \(1 in all\)/m);
  expect(table.out).toMatch(/^first program after 629\.4ms before, 361\.1ms with \(42\.6%\)$/m);
  expect(table.out).toMatch(/100% \(2\)/);
  const csv = await run([...args, '--csv']);
  expect(csv.out.split('\n')[0]).toBe(
    'node_pct,threads,boot_speedup_pct,boot_ms,boot_stdev,definit_speedup_pct,definit_ms,definit_stdev,boot_fraction,first_allocation_ms',
  );
  expect(csv.out.trimEnd().split('\n')).toHaveLength(4);
  await validate('bench', JSON.parse((await run([...args, '--json'])).out));
  // Two nodes have two base threads, as far as there are so many.
  for (const [threads, base] of [
    ['1', 1],
    ['3', 2],
  ] as const) {
    const nodes = ['bench', '--memory', '4G', '--nodes', '2', '--rounds', '1', '--json'];
    const { out } = await run([...nodes, '--threads', threads]);
    expect(JSON.parse(out)).toMatchObject({ baseThreads: base });
  }
});

test('bad usage and unusable input exit with 2 and say why', async () => {
  const cases: [string[], RegExp][] = [
    [['boot', '--threads', '0'], /whole number from 1/],
    [['boot', '--mode', 'sometimes'], /Allowed choices are eager, deferred, on-demand/],
    [['frob'], /unknown command/],
    [['check'], /missing required argument/],
    [['boot', '/does/not/exist'], /cannot read .*ENOENT/],
    [['boot', '/dev/null'], /bootmem: \/dev\/null/],
    [['boot', 'x.log', '--memory', '1G'], /one of FILE, --memory, --this-machine/],
    [['boot', '--nodes', '2'], /--nodes need --memory/],
    [['completion', 'tcsh'], /expected bash, zsh or fish/],
  ];
  for (const [args, message] of cases) {
    const { code, err } = await run(args);
    expect({ args, code }).toEqual({ args, code: 2 });
    expect(err).toMatch(message);
  }
});

test('help, version and schema go to standard output with exit code 0', async () => {
  const help = await run(['--help']);
  expect(help.code).toBe(0);
  for (const name of ['boot', 'check', 'replay', 'bench', 'report', 'completion', 'schema']) {
    expect(help.out).toContain(`  ${name} `);
  }
  expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+/);
  const schema = JSON.parse((await run(['schema', '--of', 'check'])).out) as { title: string };
  expect(schema.title).toMatch(/check/);
});

test('completion scripts name every command and option; bash completes them', async () => {
  const bash = await run(['completion', 'bash']);
  const fish = await run(['completion', 'fish']);
  const zsh = await run(['completion', 'zsh']);
  for (const text of [bash.out, fish.out]) {
    for (const word of ['boot', 'check', 'threads', 'on-demand', 'this-machine']) {
      expect(text).toContain(word);
    }
  }
  expect(zsh.out).toMatch(/^#compdef bootmem/);
  const script = `${bash.out}
    COMP_WORDS=(bootmem boot --mo); COMP_CWORD=2; _bootmem; echo "\${COMPREPLY[*]}"
    COMP_WORDS=(bootmem boot --mode d); COMP_CWORD=3; _bootmem; echo "\${COMPREPLY[*]}"
    COMP_WORDS=(bootmem re); COMP_CWORD=1; _bootmem; echo "\${COMPREPLY[*]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', script]);
  expect(stdout.trim().split('\n')).toEqual(['--mode', 'deferred', 'replay report']);
});

test('names with blanks, stars and quotes are completed whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bootmem-'));
  const names = ['log of a board.txt', 'log with * star.txt', 'other.txt'];
  for (const name of names) await writeFile(join(folder, name), '');
  const { out } = await run(['completion', 'bash']);
  const reply = async (word: string): Promise<string[]> => {
    const script = `${out}
      COMP_WORDS=(bootmem boot ${word}); COMP_CWORD=2; _bootmem; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: folder });
    return stdout.trim().split('\n').sort();
  };
  expect(await reply('lo')).toEqual(names.slice(0, 2));
  // As the line has it: the blank escaped, or a quote that is still open.
  expect(await reply(`'log\\ of'`)).toEqual(['log of a board.txt']);
  expect(await reply(`'"log with'`)).toEqual(['log with * star.txt']);
  await rm(folder, { recursive: true });
});

test('an abort before the work ends the command with 130', async () => {
  const abort = new AbortController();
  abort.abort();
  const { code, err } = await run(['boot', '--quiet'], { signal: abort.signal });
  expect(code).toBe(130);
  expect(err).toBe('interrupted\n');
});

test('Ctrl-C ends the real program cleanly: no stack, no thread left, exit code 130', async () => {
  const preload = new URL('./helpers/tell-threads.mjs', import.meta.url).href;
  const child = spawn(
    process.execPath,
    ['--import', preload, CLI, 'bench', '--rounds', '1000', '--memory', '64G', '--threads', '2'],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  let err = '';
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const exit = once(child, 'close');
  await once(child, 'message');
  child.kill('SIGINT');
  expect(await exit).toEqual([130, null]);
  expect(err).toBe('interrupted\n');
});
