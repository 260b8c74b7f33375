// `npm run bench -- page-init [--json] [--quick] [--threads N] [--only init|scaling|first]`: initialising page descriptors, warm and cold,
// beside a C loop over 64-byte descriptors and native memset of our bytes; scaling by threads in the layout
// of the published tables; time to the first allocation by memory size.
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Memmap } from '@bootmem/memmap';
import { createWorkPool, type WorkPool } from '@bootmem/padata';
import { planMachine } from './support/machines.js';
import { compileNative, type Native } from './support/native.js';
import { bringUp, initOnly, runDeferred } from './support/runs.js';
import { type JsonRow, median, printTable, row, type Sample, spread } from './support/samples.js';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    threads: { type: 'string' },
    only: { type: 'string' },
  },
});
const quick = flags.quick === true;
const rounds = quick ? 3 : 9;
const pages = 2 ** (quick ? 22 : 25);
const most = Math.max(2, Number(flags.threads ?? availableParallelism()));
const threadCounts = [...new Set([1, 2, Math.ceil(most / 2), most])]
  .filter((n) => n <= most)
  .sort((a, b) => a - b);
/** State and zone byte of each page, type byte of each pageblock. */
const OUR_BYTES = 2 + 1 / 512;
const PEER_LOOP = 'C loop, 64-byte descriptors';
const PEER_MEMSET = 'memset of our bytes';
const OURS = 'bootmem';
const rows: JsonRow[] = [];
const gc = (globalThis as { gc?: () => void }).gc;
const fixed = (value: number, digits = 1): string => value.toFixed(digits);

function newMap(): Memmap {
  return Memmap.create({ ranges: [{ startPfn: 0, endPfn: pages }] });
}

/** Cases (temperature, threads), subjects interleaved round by round. */
async function compareInit(native: Native | undefined, pool: WorkPool): Promise<void> {
  const warm = newMap();
  // Warm means code too: what is measured once per boot is in the tables below.
  for (let i = 0; i < 12; i++) await initOnly(warm, pages, 1 + (i % 2), pool);
  for (const temperature of ['warm', 'cold'] as const) {
    const samples = new Map<string, Sample[]>();
    const add = (key: string, sample: Sample): void => {
      samples.set(key, [...(samples.get(key) ?? []), sample]);
    };
    for (let round = 0; round < rounds; round++) {
      for (const threads of threadCounts) {
        const request = { temperature, pages, threads, repeats: temperature === 'warm' ? 7 : 1 };
        const peer = (mode: 'loop' | 'memset'): Sample | undefined =>
          native
            ?.run({ ...request, mode, bytesPerPage: Math.round(OUR_BYTES) })
            .toSorted((a, b) => a.wallMs - b.wallMs)[0];
        const loop = peer('loop');
        if (loop !== undefined) add(`${PEER_LOOP}/${threads}`, loop);
        const memset = peer('memset');
        if (memset !== undefined) add(`${PEER_MEMSET}/${threads}`, memset);
        // As for the peers: the best of seven a round when warm, one when cold.
        let best: Sample | undefined;
        for (let i = 0; i < request.repeats; i++) {
          const sample = await initOnly(
            temperature === 'warm' ? warm : newMap(),
            pages,
            threads,
            pool,
          );
          if (best === undefined || sample.wallMs < best.wallMs) best = sample;
        }
        add(`${OURS}/${threads}`, best!);
        gc?.();
      }
    }
    report(temperature, samples);
  }
}

function report(temperature: string, samples: ReadonlyMap<string, readonly Sample[]>): void {
  const walls = (subject: string, threads: number): number[] | undefined =>
    samples.get(`${subject}/${threads}`)?.map((sample) => sample.wallMs);
  const table: string[][] = [];
  for (const threads of threadCounts) {
    for (const subject of [PEER_LOOP, PEER_MEMSET, OURS]) {
      const own = samples.get(`${subject}/${threads}`);
      if (own === undefined) continue;
      const rate = own.map((sample) => pages / sample.wallMs / 1000);
      const bytes = subject === PEER_LOOP ? 64 : OUR_BYTES;
      const name = `init ${temperature} ${threads} threads`;
      rows.push(row(name, subject, 'pages', 'M/s', rate));
      rows.push(
        row(
          name,
          subject,
          'bytes',
          'GB/s',
          rate.map((r) => (r * bytes) / 1000),
        ),
      );
      rows.push(
        row(
          name,
          subject,
          'cpu',
          'ns/page',
          own.map((s) => (s.cpuMs * 1e6) / pages),
        ),
      );
      const ms = median(own.map((sample) => sample.wallMs));
      const loop = walls(PEER_LOOP, threads);
      const memset = walls(PEER_MEMSET, threads);
      const one = walls(subject, 1)!;
      table.push([
        subject,
        String(threads),
        fixed(ms, 2),
        fixed(median(rate), 0),
        fixed((median(rate) * bytes) / 1000),
        fixed(median(own.map((s) => (s.cpuMs * 1e6) / pages)), 2),
        loop === undefined ? '-' : `${fixed(median(loop) / ms, 1)}x`,
        memset === undefined ? '-' : `${fixed((100 * median(memset)) / ms, 0)}%`,
        `${fixed(median(one) / ms, 2)}x`,
      ]);
    }
  }
  if (flags.json === true) return;
  const head = [
    '',
    'threads',
    'ms',
    'M pages/s',
    'GB/s',
    'CPU ns/page',
    'of C loop',
    'of memset',
    'of 1 thread',
  ];
  printTable(`${temperature}: ${pages} pages, median of ${rounds}`, head, table);
}

/** Node of 384 GiB twice, as in the published table: deferred part and whole bring-up by thread count. */
async function scaling(pool: WorkPool): Promise<void> {
  const [gib, nodes] = quick ? [96, 2] : [768, 2];
  const repeats = quick ? 3 : 9;
  const counts = [0, ...threadCounts];
  const deferred = new Map<number, number[]>();
  const boot = new Map<number, number[]>();
  const cpu = new Map<number, number[]>();
  let brought = 0;
  for (let i = 0; i < repeats; i++) {
    // In turn from another place: what ran before decides how fresh the memory is.
    const turn = i % counts.length;
    for (const threads of [...counts.slice(turn), ...counts.slice(0, turn)]) {
      const machine = bringUp(() => planMachine(gib, nodes), false);
      const sample = await runDeferred(machine, threads, pool);
      brought = machine.allocator.zones.reduce((sum, { core }) => sum + core.managedPages, 0);
      machine.allocator.close();
      cpu.set(threads, [...(cpu.get(threads) ?? []), sample.cpuMs]);
      deferred.set(threads, [...(deferred.get(threads) ?? []), sample.wallMs]);
      boot.set(threads, [...(boot.get(threads) ?? []), machine.totalMs + sample.wallMs]);
      gc?.();
    }
  }
  const table = counts.map((threads) => {
    const [d, b] = [spread(deferred.get(threads)!), spread(boot.get(threads)!)];
    const [d0, b0] = [spread(deferred.get(0)!).mean, spread(boot.get(0)!).mean];
    const name = `${gib} GiB, ${nodes} nodes, ${threads} threads`;
    rows.push(row(name, OURS, 'deferred init', 'ms', deferred.get(threads)!));
    rows.push(row(name, OURS, 'bring-up', 'ms', boot.get(threads)!));
    rows.push(row(name, OURS, 'deferred init CPU', 'ms', cpu.get(threads)!));
    const gain = (base: number, now: number): string =>
      threads === 0 ? '--' : `${fixed((100 * (base - now)) / base)}%`;
    return [
      `${fixed((100 * threads) / most, 0)}% (${threads})`,
      gain(b0, b.mean),
      fixed(b.mean),
      `(${fixed(b.stdev)})`,
      gain(d0, d.mean),
      fixed(d.mean),
      `(${fixed(d.stdev)})`,
      fixed(Math.min(...deferred.get(threads)!)),
      fixed(median(cpu.get(threads)!)),
    ];
  });
  if (flags.json === true) return;
  const head = [
    'node% (thr)',
    'speedup',
    'bring-up ms',
    '(stdev)',
    'speedup',
    'deferred ms',
    '(stdev)',
    'best ms',
    'CPU ms',
  ];
  const title = `${gib} GiB in ${nodes} nodes, ${brought} pages managed at the end, first touch included, mean of ${repeats}`;
  printTable(title, head, table);
}

/** Time until the first page can be allocated, by memory size; nothing deferred is touched before. */
function firstAllocation(): void {
  const sizes = [1, 8, 64, 768, 3072, 12288];
  const repeats = quick ? 3 : 7;
  bringUp(() => planMachine(16, 1), true).allocator.close();
  const totals = new Map<number, number[]>();
  const phases = new Map<number, string[]>();
  for (let i = 0; i < repeats; i++) {
    for (const gib of sizes) {
      const machine = bringUp(() => planMachine(gib, gib >= 768 ? 2 : 1), true);
      totals.set(gib, [...(totals.get(gib) ?? []), machine.totalMs]);
      phases.set(
        gib,
        Object.values(machine.phases).map((ms) => fixed(ms)),
      );
      machine.allocator.close();
      gc?.();
    }
  }
  const table = sizes.map((gib) => {
    const values = totals.get(gib)!;
    rows.push(row(`first allocation ${gib} GiB`, OURS, 'time', 'ms', values));
    return [
      `${gib} GiB`,
      fixed(median(values)),
      fixed(Math.min(...values)),
      fixed(Math.max(...values)),
      ...phases.get(gib)!,
    ];
  });
  if (flags.json === true) return;
  const head = [
    'memory',
    'ms',
    'min',
    'max',
    'plan',
    'map',
    'allocator',
    'early',
    'deferred',
    'allocate',
  ];
  printTable(
    `time to the first allocation, median of ${repeats}; right: phases of the last run`,
    head,
    table,
  );
}

const pool = createWorkPool({ threads: most - 1 });
await pool.ready();
const native = compileNative();
if (flags.json !== true) {
  console.log(
    `${cpus()[0]?.model ?? 'CPU'}, ${availableParallelism()} threads, Node ${process.version}`,
  );
  if (native === undefined) console.log('no C compiler here: without the C loop and memset');
}
const wanted = (part: string): boolean => flags.only === undefined || flags.only === part;
if (wanted('init')) await compareInit(native, pool);
if (wanted('scaling')) await scaling(pool);
if (wanted('first')) firstAllocation();
native?.close();
await pool.close();
if (flags.json === true) for (const line of rows) console.log(JSON.stringify(line));
