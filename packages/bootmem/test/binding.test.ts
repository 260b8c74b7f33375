// Threads that belong to nodes of this host: told apart, tied by a hook, tied by a command.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { synthesize } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { bootMemory } from '../dist/index.js';
import type { HelperThread, NodeBinding } from '../dist/index.js';
import { helpersByNode, hostNodes, usableNodes } from '../dist/boot/host-nodes.js';
import { bindingOf } from '../dist/cli/bind.js';
import { run } from './helpers/run.js';
import { validate } from './helpers/schemas.js';

const description = synthesize({ memory: '16G', nodes: 2 });
const TWO = [
  { nid: 0, cpus: '0' },
  { nid: 3, cpus: '1' },
];

/** Processors that a thread of this process may use; as Linux lists them. */
const allowed = (tid: number | 'self'): string | undefined =>
  /^Cpus_allowed_list:\s*(\S+)$/m.exec(
    readFileSync(`/proc/${tid === 'self' ? 'self' : `self/task/${tid}`}/status`, 'utf8'),
  )?.[1];

const isLinux = process.platform === 'linux';
const hasTaskset = isLinux && spawnSync('taskset', ['--version']).status === 0;
const mayUse01 =
  isLinux && usableNodes(TWO, allowed('self')).every((node, i) => node.nid === TWO[i]!.nid);

test('nodes are those with processors that may be used', () => {
  const nodes = [
    { nid: 0, cpus: '0-3,8' },
    { nid: 1, cpus: '4-7' },
    { nid: 2, cpus: '9' },
  ];
  expect(usableNodes(nodes, '2-4,9')).toEqual([
    { nid: 0, cpus: '2-3' },
    { nid: 1, cpus: '4' },
    { nid: 2, cpus: '9' },
  ]);
  expect(usableNodes(nodes, '0-1,3,8')).toEqual([{ nid: 0, cpus: '0-1,3,8' }]);
  expect(usableNodes(nodes, undefined)).toEqual(nodes);
  expect(usableNodes(nodes, 'all of them')).toEqual(nodes);
});

(isLinux ? test : test.skip)("this host's nodes have only processors that are allowed here", () => {
  const nodes = hostNodes();
  const joined = nodes.map(({ cpus }) => cpus).join(',');
  expect(usableNodes(nodes, allowed('self'))).toEqual(nodes);
  expect(joined).toMatch(/^(\d+(-\d+)?(,|$))*$/);
});

test('a node is served by helpers of one node of the host, or of several where that has more', () => {
  // Five helpers on two nodes; one, two, three nodes to bring up.
  const spread = [0, 1, 0, 1, 0];
  expect(helpersByNode(spread, 2, 1)).toEqual([[1, 2, 3, 4, 5]]);
  expect(helpersByNode(spread, 2, 2)).toEqual([
    [1, 3, 5],
    [2, 4],
  ]);
  expect(helpersByNode(spread, 2, 3)).toEqual([
    [1, 3, 5],
    [2, 4],
    [1, 3, 5],
  ]);
  expect(helpersByNode([0, 1, 2, 3], 4, 2)).toEqual([
    [1, 3],
    [2, 4],
  ]);
  expect(helpersByNode([0], 4, 2)).toEqual([[1], []]);
});

test('each helper is told to the hook before the clock starts, with number, node, processors', async () => {
  const seen: HelperThread[] = [];
  let lines = 0;
  const machine = await bootMemory(description, {
    threads: 4,
    binding: {
      nodes: TWO,
      bind: async (thread) => {
        await new Promise((resolve) => setImmediate(resolve));
        expect(lines).toBe(0);
        seen.push(thread);
      },
    },
    onProgress: () => {
      lines += 1;
    },
  });
  const report = machine.report();
  await machine.close();
  const placed = seen.toSorted((a, b) => a.helper - b.helper);
  expect(placed.map(({ helper, node, cpus }) => [helper, node, cpus])).toEqual([
    [1, 0, '0'],
    [2, 3, '1'],
    [3, 0, '0'],
  ]);
  expect(new Set(placed.map(({ tid }) => tid)).size).toBe(isLinux ? 3 : 1);
  expect(report.threads.map(({ thread, hostNode }) => [thread, hostNode])).toEqual([
    [0, undefined],
    [1, 0],
    [2, 3],
    [3, 0],
  ]);
  const text = report.log.join('\n');
  expect(text).toContain('deferred pages: helpers 1, 3 tied to processors 0 of host node 0');
  expect(text).toContain('deferred pages: helpers 2 tied to processors 1 of host node 3');
  await validate('boot', report);
});

test('told apart without a hook: a helper works for the nodes of its own node; the outcome is the same', async () => {
  await using free = await bootMemory(description, { threads: 1 });
  for (let i = 0; i < 4; i++) {
    await using machine = await bootMemory(description, { threads: 4, binding: { nodes: TWO } });
    const served = new Map<number, Set<number>>();
    for (const { thread, nid } of machine.report().chunks) {
      served.set(thread, (served.get(thread) ?? new Set()).add(nid));
    }
    served.delete(0);
    for (const nodes of served.values()) expect(nodes.size).toBe(1);
    expect(machine.buddyinfo()).toBe(free.buddyinfo());
    expect(machine.log.join('\n')).toContain('helpers 2 meant for processors 1 of host node 3');
  }
});

(hasTaskset && mayUse01 ? test : test.skip)('taskset ties threads for real', async () => {
  const tids = new Map<number, string>();
  const { bind } = bindingOf('taskset');
  const machine = await bootMemory(description, {
    threads: 3,
    binding: {
      nodes: TWO,
      bind: async (thread) => {
        await bind!(thread);
        tids.set(thread.tid, thread.cpus);
      },
    },
  });
  expect([...tids.values()].sort()).toEqual(['0', '1']);
  for (const [tid, cpus] of tids) expect(allowed(tid)).toBe(cpus);
  await machine.close();
});

test('a thread that takes the place of a dead one is told to the hook as well', async () => {
  const workerModule = new URL('./helpers/dying-worker.mjs?when=chunk', import.meta.url).href;
  const seen: HelperThread[] = [];
  const machine = await bootMemory(synthesize({ memory: '24G' }), {
    threads: 2,
    workerModule,
    binding: { nodes: [TWO[0]!], bind: (thread) => void seen.push(thread) },
  });
  while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(seen.map(({ helper, node }) => [helper, node])).toEqual([
    [1, 0],
    [1, 0],
  ]);
  if (isLinux) expect(seen[0]!.tid).not.toBe(seen[1]!.tid);
  await machine.close();
});

test('a thread that cannot be tied ends the boot', async () => {
  const cause = new Error('no such processor');
  const binding: NodeBinding = {
    nodes: TWO,
    bind: ({ helper }) => {
      if (helper === 2) throw cause;
    },
  };
  await expect(bootMemory(description, { threads: 3, binding })).rejects.toMatchObject({
    code: 'ERR_BOOTMEM_BIND',
    details: { helper: 2, node: 3, cpus: '1' },
    cause,
  });
  // There is nobody to tie.
  await (await bootMemory(description, { threads: 1, binding })).close();
});

test.each([
  { nodes: [] },
  { nodes: [{ nid: -1, cpus: '0' }] },
  { nodes: [{ nid: 0, cpus: '' }] },
  { nodes: [{ nid: 0, cpus: '0; rm' }] },
  { bind: 'taskset' as never },
])('a binding that is none is refused: %j', async (binding) => {
  await expect(bootMemory(description, { binding })).rejects.toMatchObject({
    code: 'ERR_BOOTMEM_USAGE',
  });
});

test('--bind: masks, a command without a shell, what is no command, one that fails', async () => {
  const args = ['boot', '--memory', '8G', '--nodes', '2', '--threads', '2', '--bind'];
  const masks = await run([...args, 'masks']);
  expect({ code: masks.code, err: masks.err }).toEqual({ code: 0, err: '' });
  expect(masks.out).toMatch(/helpers 1 meant for processors .+ of host node \d/);
  for (const text of ['frob', '{tid}', 'log.txt', '']) {
    const { code, out, err } = await run([...args, text]);
    expect({ text, code, out }).toEqual({ text, code: 2, out: '' });
    expect(err).toContain('--bind is masks, taskset, or a command with {tid}');
  }
  const words = bindingOf(`${process.execPath} -p process.argv.slice(1).length>9 x;x {tid} {cpus}`);
  const thread = { helper: 1, tid: 7, node: 0, cpus: '0' };
  await words.bind!(thread);
  const failing = bindingOf(`${process.execPath} -e process.exit(+process.argv[1]-6) {tid}`);
  await expect(failing.bind!(thread)).rejects.toThrow('Command failed');
  await expect(failing.bind!({ ...thread, tid: 0 })).rejects.toThrow('numbers of threads');
  await expect(failing.bind!({ ...thread, cpus: '' })).rejects.toThrow('processors');
});
