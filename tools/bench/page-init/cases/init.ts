/** Initialisation alone, warm and cold, beside a C loop over 64-byte descriptors and memset of our bytes. */
import { Memmap } from '@bootmem/memmap';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { median } from '../../../kit/statistics.js';
import type { Times } from '../../../kit/stopwatch.js';
import { printTable } from '../../../kit/table.js';
import { warmUp } from '../../../kit/warm-up.mjs';
import { OURS, collect, fixed, type BenchOptions } from '../bench-options.js';
import { compileNative, type Native } from '../support/native.js';
import { initOnly } from '../support/runs.js';

/** State and zone byte of each page, type byte of each pageblock. */
const OUR_BYTES = 2 + 1 / 512;
const PEER_LOOP = 'C loop, 64-byte descriptors';
const PEER_MEMSET = 'memset of our bytes';
/** When warm, the best of so many runs is the value of a round, on all sides. */
const REPEATS = { warm: 7, cold: 1 };

type Temperature = keyof typeof REPEATS;

interface Subject {
  readonly name: string;
  readonly bytesPerPage: number;
  run(temperature: Temperature, threads: number): Times | Promise<Times>;
}

const best = (runs: readonly Times[]): Times =>
  runs.reduce((least, run) => (run.wallMs < least.wallMs ? run : least));

function peer(native: Native, name: string, mode: 'loop' | 'memset', pages: number): Subject {
  const bytesPerPage = mode === 'loop' ? 64 : OUR_BYTES;
  return {
    name,
    bytesPerPage,
    run: (temperature, threads) => {
      const request = { mode, temperature, pages, threads, repeats: REPEATS[temperature] };
      return best(native.run({ ...request, bytesPerPage: Math.round(OUR_BYTES) }));
    },
  };
}

function ours(pages: number, { pool }: BenchOptions): Subject {
  const newMap = (): Memmap => Memmap.create({ ranges: [{ startPfn: 0, endPfn: pages }] });
  const warm = newMap();
  return {
    name: OURS,
    bytesPerPage: OUR_BYTES,
    async run(temperature, threads) {
      if (temperature === 'cold') {
        const run = await initOnly(newMap(), pages, threads, pool);
        collect();
        return run;
      }
      const runs: Times[] = [];
      for (let i = 0; i < REPEATS.warm; i += 1)
        runs.push(await initOnly(warm, pages, threads, pool));
      return best(runs);
    },
  };
}

export async function init(samples: Samples, options: BenchOptions): Promise<void> {
  const { quick, json, threadCounts } = options;
  const pages = 2 ** (quick ? 24 : 25);
  const rounds = quick ? 3 : 9;
  const native = compileNative();
  if (native === undefined && !json) console.log('no C compiler here: without C loop and memset');
  const own = ours(pages, options);
  const subjects =
    native === undefined
      ? [own]
      : [peer(native, PEER_LOOP, 'loop', pages), peer(native, PEER_MEMSET, 'memset', pages), own];
  // Compiled code on every thread; the C program runs as it is.
  for (const threads of threadCounts)
    await warmUp(async () => 1 / (await own.run('warm', threads)).wallMs);
  for (const temperature of ['warm', 'cold'] as const) {
    const caseOf = (threads: number): string => `init ${temperature} ${threads} threads`;
    for (let round = 0; round < rounds; round += 1) {
      for (const threads of threadCounts) {
        for (const subject of inTurn(subjects, round)) {
          const { wallMs, cpuMs } = await subject.run(temperature, threads);
          const { name, bytesPerPage } = subject;
          const rate = pages / wallMs / 1000;
          samples.add(caseOf(threads), name, 'pages', 'M/s', rate);
          samples.add(caseOf(threads), name, 'bytes', 'GB/s', (rate * bytesPerPage) / 1000);
          samples.add(caseOf(threads), name, 'cpu', 'ns/page', (cpuMs * 1e6) / pages);
        }
      }
    }
    if (!json)
      print(`${temperature}: ${pages} pages, median of ${rounds}`, samples, caseOf, options);
  }
  native?.close();
}

/** Rates, and each against the C loop, memset and its own rate on one thread. */
function print(
  title: string,
  samples: Samples,
  caseOf: (threads: number) => string,
  { threadCounts }: BenchOptions,
): void {
  const table: string[][] = [];
  for (const threads of threadCounts) {
    for (const subject of [PEER_LOOP, PEER_MEMSET, OURS]) {
      const own = samples.values(caseOf(threads), subject, 'pages');
      if (own.length === 0) continue;
      const against = (other: string, count = threads): number =>
        median(own) / samples.median(caseOf(count), other, 'pages');
      const figure = (metric: string, digits: number): string =>
        fixed(samples.median(caseOf(threads), subject, metric), digits);
      const orNone = (value: number, text: string): string => (Number.isNaN(value) ? '-' : text);
      const [loop, memset] = [against(PEER_LOOP), against(PEER_MEMSET)];
      table.push([
        subject,
        String(threads),
        figure('pages', 0),
        figure('bytes', 1),
        figure('cpu', 2),
        orNone(loop, `${fixed(loop)}x`),
        orNone(memset, `${fixed(100 * memset, 0)}%`),
        `${fixed(against(subject, 1), 2)}x`,
      ]);
    }
  }
  const rates = ['M pages/s', 'GB/s', 'CPU ns/page'];
  const ratios = ['of C loop', 'of memset', 'of 1 thread'];
  printTable(title, ['', 'threads', ...rates, ...ratios], table);
}
