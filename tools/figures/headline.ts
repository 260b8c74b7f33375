/** The table of the front page: what each package's benchmark shows first. */
import { best, figure } from './rows.js';
import { plain, rate, table } from './words.js';

const isPeer = (subject: string): boolean =>
  !subject.startsWith('bootmem') && !subject.startsWith('inline');
const bench = (name: string): string => `\`npm run bench -- ${name}\``;

const padata = (testCase: string, subject: string, metric: string): number =>
  figure('padata', testCase, subject, metric).median;
const bestPool = (testCase: string): string =>
  `best pool ${rate(best('padata', testCase, 'rate', isPeer).median)}`;

const MANY = 'trivial job, 1024 in flight, 2 threads';
const ONE = 'trivial job, 1 in flight, 2 threads';
const CLONE = 'object by structured clone, 64 in flight, 2 threads';
const TEN = '10 us job, 64 in flight, 2 threads';
const AES = 'AES-256-GCM of 64 KiB buffers in order, 8 in flight';
const BUSY = 'owner busy for 500 ms, 200 jobs queued';
const GZIP = 'gzip -6 of 200 MB of text, 2 threads';
const SUM = 'range job: sum over 1024 shared doubles';

function jobs(): string[][] {
  const pool = best('padata', MANY, 'rate', isPeer);
  const over = padata(TEN, 'bootmem', 'CPU') - padata(TEN, 'inline, no pool', 'CPU');
  const mebibytes = (subject: string): string => plain(padata(AES, subject, 'rate'));
  const atDefaults = Math.max(
    ...['piscina', 'tinypool', 'workerpool'].map((name) => padata(BUSY, name, 'done meanwhile')),
  );
  return [
    [
      'trivial ordered jobs, 1024 in flight, callbacks',
      `${rate(padata(MANY, 'bootmem, callbacks', 'rate'))}, ${plain(padata(MANY, 'bootmem, callbacks', 'CPU'))} µs of CPU a job`,
      `best pool (${pool.subject}) ${rate(pool.median)}, ${plain(padata(MANY, pool.subject, 'CPU'))} µs`,
      bench('padata throughput'),
    ],
    [
      'the same by promises',
      `${rate(padata(MANY, 'bootmem', 'rate'))}, ${plain(padata(MANY, 'bootmem', 'CPU'))} µs`,
      'the same',
      'same',
    ],
    ['one job in flight', rate(padata(ONE, 'bootmem', 'rate')), bestPool(ONE), 'same'],
    [
      'objects by structured clone, 64 in flight',
      rate(padata(CLONE, 'bootmem', 'rate')),
      bestPool(CLONE),
      'same',
    ],
    [
      '10 µs jobs',
      `${rate(padata(TEN, 'bootmem', 'rate'))}, ${over.toFixed(1)} µs of CPU more than the work`,
      `inline ${rate(padata(TEN, 'inline, no pool', 'rate'))}, ${bestPool(TEN)}`,
      'same',
    ],
    [
      'AES-256-GCM of 64 KiB buffers, in order',
      `${mebibytes('bootmem')} MiB/s`,
      `inline ${mebibytes('inline, no pool')}, best pool ${plain(best('padata', AES, 'rate', isPeer).median)} MiB/s`,
      bench('padata aes'),
    ],
    [
      '200 jobs queued, owner busy for 500 ms',
      `${padata(BUSY, 'bootmem', 'done meanwhile')} done meanwhile`,
      `piscina, tinypool, workerpool at defaults: at most ${atDefaults}`,
      bench('padata busy-owner'),
    ],
    [
      'gzip of 200 MB of text, 2 threads',
      `${plain(padata(GZIP, 'bootmem', 'rate'))} MB/s`,
      `pigz ${plain(padata(GZIP, 'pigz -p2', 'rate'))} MB/s`,
      bench('padata pgzip'),
    ],
    [
      'sum over 1024 doubles as a range job',
      `${plain(padata(SUM, 'bootmem', 'time'))} µs`,
      `plain loop ${plain(padata(SUM, 'plain loop', 'time'))} µs`,
      bench('padata range'),
    ],
  ];
}

function distributed(): string[] {
  const testCase = '10 ms jobs, 2 workers, window 256';
  const nats = (subject: string, metric: string): number =>
    figure('padata-nats', testCase, subject, metric).median;
  const one = nats('BullMQ, in-process, 2 x 1', 'rate') / nats('padata, local pool', 'rate');
  return [
    '10 ms jobs over NATS, two worker processes',
    `${nats('padata-nats', 'of the local pool by rate').toFixed(0)} % of the local pool`,
    `BullMQ with one job at a time: ${(100 * one).toFixed(0)} %`,
    bench('padata-nats'),
  ];
}

function memory(): string[][] {
  const memblock = (subject: string): number =>
    figure('memblock', 'reserve_then_free_random_gap/10000', subject, 'cpu').median;
  const buddy = (subject: string): string =>
    `${figure('buddy', 'a, large', subject, 'operations per CPU-second').median} M`;
  const init = (subject: string): number =>
    figure('page-init', 'init warm 1 threads', subject, 'pages').median;
  const boot = (size: string): string =>
    `${figure('page-init', `first allocation ${size}`, 'bootmem', 'time').median} ms`;
  const arena = (subject: string): number =>
    figure('unaccepted', 'first allocation: arena of 4 GiB', subject, 'first').median;
  const ofMemset = (100 * init('bootmem')) / init('memset of our bytes');
  const ofLoop = init('bootmem') / init('C loop, 64-byte descriptors');
  return [
    [
      'reserve and free, 10 000 regions',
      `${plain(memblock('bootmem'))} ns`,
      `the kernel's C, recorded elsewhere: ${plain(memblock('C (6.12, recorded)') / 1000)} µs`,
      bench('memblock'),
    ],
    [
      'order-0 pages, per CPU-second',
      `${buddy('bootmem')} operations`,
      `a C buddy without lock, cache or checks: ${buddy('C -O2, no lock, no cache')}`,
      bench('buddy'),
    ],
    [
      'initialising descriptors, warm, one thread',
      `${ofMemset.toFixed(0)} % of memset of the same bytes`,
      `${ofLoop.toFixed(0)} × a C loop over 64-byte descriptors`,
      bench('page-init'),
    ],
    ['first allocation on a 12 TiB machine', boot('12288 GiB'), `1 GiB: ${boot('1 GiB')}`, 'same'],
    [
      'first allocation in a 4 GiB arena, prepared lazily',
      `${plain(arena('bootmem'))} ms`,
      `eagerly ${(arena('eager') / 1000).toFixed(1)} s`,
      bench('unaccepted'),
    ],
  ];
}

export const headline = (): string =>
  table(['what', 'figure', 'beside it', 'command'], [...jobs(), distributed(), ...memory()]);
