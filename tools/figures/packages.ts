/** The tables of the packages' own pages. */
import { best, figure, findFigure } from './rows.js';
import { fineRate, plain, table, times, whole } from './words.js';

const isPeer = (subject: string): boolean =>
  !subject.startsWith('bootmem') && !subject.startsWith('inline');

/** Ordered jobs against the best peer. */
export function padata(): string {
  const row = (
    label: string,
    testCase: string,
    subject = 'bootmem',
    unit: (value: number) => string = fineRate,
    inline = false,
  ): string[] => {
    const value = (who: string, metric: string): number =>
      figure('padata', testCase, who, metric).median;
    const ratio = times(value(subject, 'rate') / best('padata', testCase, 'rate', isPeer).median);
    const alone = inline
      ? ` (inline: ${unit(value('inline, no pool', 'rate'))}, ${plain(value('inline, no pool', 'CPU'))} µs)`
      : '';
    return [
      label,
      unit(value(subject, 'rate')),
      `${plain(value(subject, 'CPU'))} µs`,
      `${ratio}${alone}`,
    ];
  };
  const mebibytes = (value: number): string => `${plain(value)} MiB/s`;
  const trivial = (inFlight: number): string => `trivial job, ${inFlight} in flight, 2 threads`;
  return table(
    ['case', 'here', 'CPU per job', 'against the best peer'],
    [
      row('trivial jobs, 1024 in flight, `submit`', trivial(1024), 'bootmem, callbacks'),
      row('the same, `run` (a promise a job)', trivial(1024)),
      row('64 in flight, `submit`', trivial(64), 'bootmem, callbacks'),
      row('the same, `run`', trivial(64)),
      row('one in flight', trivial(1)),
      row(
        'objects by structured clone, 64 in flight',
        'object by structured clone, 64 in flight, 2 threads',
      ),
      row('10 µs jobs', '10 us job, 64 in flight, 2 threads', 'bootmem', fineRate, true),
      row('100 µs jobs', '100 us job, 64 in flight, 2 threads'),
      row(
        'AES-256-GCM, 64 KiB, in order',
        'AES-256-GCM of 64 KiB buffers in order, 8 in flight',
        'bootmem',
        mebibytes,
        true,
      ),
    ],
  );
}

/** How much of the local pool's throughput is left over NATS. */
export function padataNats(): string {
  const rows = ['0.1 ms', '1 ms', '10 ms', '100 ms'].map((length) => {
    const testCase = `${length} jobs, 2 workers, window 256`;
    const share = figure('padata-nats', testCase, 'padata-nats', 'of the local pool by CPU').median;
    return [length, `${share.toFixed(0)} %`];
  });
  return table(['length of a job', "of the local pool's throughput, by CPU a job"], rows);
}

const MEMBLOCK_WORKLOADS = {
  reserve_then_free_random_gap: 'reserve + free in a gap',
  reserve_then_free_adjacent: 'reserve + free, touching',
  alloc_then_free_top_down_first_gap: 'alloc + free, top-down',
  alloc_then_free_bottom_up_first_gap: 'alloc + free, bottom-up',
  alloc_search_all_gaps_top_down_fail: 'alloc, nothing fits',
  alloc_in_window_then_free: 'alloc + free in a window',
  is_reserved_random: 'point query',
  is_region_reserved_miss: 'range query',
  build_random_order: 'build one by one, random order',
  build_in_bulk_random_order: 'build in bulk, random order',
  iterate_free_RxR: 'walk free ranges, R x R',
  iterate_free_reverse_RxR: 'walk in reverse, R x R',
};

/** Nanoseconds by workload and number of regions. */
export function memblock(): string {
  const subjects = ['bootmem', 'C (6.12, recorded)', '@flatten-js/interval-tree', 'drange'];
  const rows = Object.entries(MEMBLOCK_WORKLOADS).flatMap(([workload, label]) =>
    [1000, 10_000, 100_000].map((regions) => [
      label,
      whole(regions),
      ...subjects.map((subject) => {
        const found = findFigure('memblock', [`${workload}/${regions}`, subject, 'cpu']);
        return found === undefined ? '' : plain(found.median);
      }),
    ]),
  );
  const peers = ['@flatten-js/interval-tree 2.0.3', 'drange 2.0.1'];
  return table(['ns per operation', 'R', 'ours', 'Linux 6.12, C', ...peers], rows);
}

function buddy(head: string, size: string, rows: readonly (readonly string[])[]): string {
  const lines = rows.map(([label, subject, workers = '']) => [
    label!,
    ...['a', 'b', 'c', 'd'].map((trace) => {
      const testCase = `${trace}, ${size}${workers}`;
      const { median } = figure('buddy', testCase, subject!, 'operations per CPU-second');
      return median.toFixed(median < 10 ? 2 : 1);
    }),
  ]);
  return table([head, 'a', 'b', 'c', 'd'], lines);
}

/** Million operations per CPU-second on 1 GiB. */
export function buddyLarge(): string {
  return buddy('262 144 pages', 'large', [
    ['C, `-O2`, one thread', 'C -O2, no lock, no cache'],
    ['this package, one thread', 'bootmem'],
    ['two threads on one memory, together', 'bootmem', ', 2 workers'],
    ['four threads on one memory, together (two cores)', 'bootmem', ', 4 workers'],
    ['without page caches: the lock at every call', 'bootmem, no cache'],
    ['`malloc` 1.1.0 from npm', 'malloc'],
  ]);
}

/** The same on 32 MiB, for peers whose `free` searches a list. */
export function buddySmall(): string {
  return buddy('8 192 pages', 'small', [
    ['this package', 'bootmem'],
    ['`malloc` 1.1.0, "pages" of 64 bytes', 'malloc'],
    ['`@thi.ng/malloc` 6.1.150, "pages" of 64 bytes', '@thi.ng/malloc'],
  ]);
}

/** Initialisation alone beside the C loop and memset. */
export function pageInit(): string {
  const LOOP = 'C loop, 64-byte descriptors';
  const MEMSET = 'memset of our bytes';
  const rows = ['warm', 'cold'].flatMap((temperature) =>
    [1, 2].flatMap((threads) =>
      [LOOP, MEMSET, 'bootmem'].map((subject) => {
        const value = (who: string, metric: string): number =>
          figure('page-init', `init ${temperature} ${threads} threads`, who, metric).median;
        const pages = value(subject, 'pages');
        return [
          `${temperature}: ${subject}`,
          String(threads),
          whole(pages),
          value(subject, 'bytes').toFixed(1),
          value(subject, 'cpu').toFixed(2),
          times(pages / value(LOOP, 'pages')),
          `${((100 * pages) / value(MEMSET, 'pages')).toFixed(0)} %`,
        ];
      }),
    ),
  );
  const head = ['', 'threads', 'M pages/s', 'GB/s', 'CPU ns/page', 'of C loop', 'of memset'];
  return table(head, rows);
}

/** Time to the first allocation by memory size. */
export function firstAllocation(): string {
  const rows = ['1', '8', '64', '768', '3072', '12288'].map((gib) => {
    const row = figure('page-init', `first allocation ${gib} GiB`, 'bootmem', 'time');
    return [`${whole(Number(gib))} GiB`, `${row.median} ms`, `${row.min}–${row.max}`];
  });
  return table(['memory', 'median of 7', 'range'], rows);
}

const microseconds = (value: number): string => `${plain(value)} µs`;
const DESIGNS = {
  v1: 'v1',
  v2: 'v2',
  bootmem: 'bootmem',
  'bootmem+background': 'bootmem + background helper',
};

/** Four threads at once, by design. */
export function unacceptedDesigns(): string {
  const testCase = 'concurrent demand: 4 threads, 16 KiB blocks, 50 us of work on each';
  const rows = Object.entries(DESIGNS).map(([subject, label]) => {
    const value = (metric: string): number =>
      figure('unaccepted', testCase, subject, metric).median;
    return [
      label,
      microseconds(value('p50')),
      microseconds(value('p99')),
      `${value('max').toFixed(0)} ms`,
      `${value('lock held').toFixed(0)} ms`,
      String(value('accepts under lock')),
    ];
  });
  const head = '4 threads, 16 KiB blocks, 50 µs of work on each';
  return table([head, 'p50', 'p99', 'max', 'zone lock held', 'accepts under the zone lock'], rows);
}

/** One paced thread, by design. */
export function unacceptedPaced(): string {
  const testCase = 'paced demand: 1 thread, 64 KiB blocks, 1000 a second';
  const rows = Object.entries(DESIGNS).map(([subject, label]) => {
    const value = (metric: string): number =>
      figure('unaccepted', testCase, subject, metric).median;
    return [
      label,
      microseconds(value('p50')),
      microseconds(value('p99')),
      `${value('max').toFixed(0)} ms`,
      `${value('over 100 us').toFixed(2)} %`,
    ];
  });
  const head = '1 thread, 64 KiB blocks, 1000 a second';
  return table([head, 'p50', 'p99', 'max', 'allocations over 100 µs'], rows);
}

/** Lazily and eagerly accepted arenas. */
export function unacceptedFirst(): string {
  const rows = ['2 GiB', '4 GiB'].map((size) => {
    const value = (subject: string, metric: string): number =>
      figure('unaccepted', `first allocation: arena of ${size}`, subject, metric).median;
    const cell = (subject: string): string =>
      `${plain(value(subject, 'first'))} ms (CPU ${plain(value(subject, 'CPU'))})`;
    const sooner = value('eager', 'first') / value('bootmem', 'first');
    return [size, ...['eager', 'eager, 2 threads', 'bootmem'].map(cell), times(sooner)];
  });
  return table(['arena', 'eager', 'eager, 2 threads', 'bootmem', 'sooner'], rows);
}

/** How fast logs are read. */
export function firmwareMap(): string {
  const cases = [
    ['log in which nearly every line is a record', 'records only', 'rate by CPU time'],
    ["200 MB of other programs' lines behind a log", '200 MB of other lines', 'rate by CPU time'],
    [
      'growth of resident memory over those 200 MB',
      '200 MB of other lines',
      'resident memory growth',
    ],
  ] as const;
  const rows = cases.map(([label, testCase, metric]) => {
    const { median, min, max, unit } = figure('firmware-map', testCase, 'bootmem', metric);
    return [label, `${median.toFixed(1)} ${unit}`, `${min!.toFixed(1)}–${max!.toFixed(1)}`];
  });
  return table(['input', 'median', 'range'], rows);
}
