/**
 * What the padata series published (v2, patch 5, May 2020): kernel boot and deferred initialisation by threads a node on
 * six machines, and the lines of the second reporter. Data, not ours; other hardware, descriptors of 64 bytes.
 *
 * Source: "mm: parallelize deferred_init_memmap()", linux-mm mailing list, tables in the patch's text.
 */

import type { PublishedLog, PublishedMachine, PublishedRow } from '../bench-result.js';

type Tuple = readonly [number, number, number, number, number, number];

const rowsOf = (rows: readonly Tuple[]): PublishedRow[] =>
  rows.map(([percent, threads, bootMs, bootStdev, definitMs, definitStdev]) => ({
    percent,
    threads,
    bootMs,
    bootStdev,
    definitMs,
    definitStdev,
  }));

/** The six machines. */
export const PUBLISHED_MACHINES: readonly PublishedMachine[] = [
  {
    machine: 'Xeon Platinum 8167M, 2 nodes × 384 GiB',
    nodes: 2,
    cpusPerNode: 52,
    gibPerNode: 384,
    rows: rowsOf([
      [0, 0, 4078, 9, 1779, 8.7],
      [2, 1, 4021.3, 2.9, 1717.7, 7.8],
      [12, 6, 2644.7, 35.3, 341, 35.5],
      [25, 13, 2498, 34.2, 193.3, 32.3],
      [37, 19, 2482, 25.2, 175.3, 31.7],
      [50, 26, 2495, 8.7, 193.7, 3.5],
      [75, 39, 2478, 21, 172.7, 26.7],
      [100, 52, 2448, 2, 143.3, 1.5],
    ]),
  },
  {
    machine: 'Xeon E5-2699C v4, 192 GiB',
    nodes: 1,
    cpusPerNode: 32,
    gibPerNode: 192,
    rows: rowsOf([
      [0, 0, 1996, 18, 1104.3, 6.7],
      [3, 1, 1968, 3, 1074.7, 9],
      [12, 4, 1196, 22.7, 305.3, 16.8],
      [25, 8, 1049.3, 17.2, 174, 10.6],
      [37, 12, 1032, 14.9, 145.3, 2.5],
      [50, 16, 1020.3, 2.5, 133, 1.7],
      [75, 24, 1016.3, 8.1, 128, 1.7],
      [100, 32, 1009, 8.5, 126.3, 0.6],
    ]),
  },
  {
    machine: 'Xeon E5-2699 v3, 2 nodes × 128 GiB',
    nodes: 2,
    cpusPerNode: 36,
    gibPerNode: 128,
    rows: rowsOf([
      [0, 0, 1682.7, 6.7, 630, 4.6],
      [3, 1, 1676, 2, 625.3, 3.2],
      [12, 4, 1249, 1, 200.3, 1.2],
      [25, 9, 1178, 5.2, 128, 3.5],
      [37, 13, 1167.7, 3.1, 117.7, 1.2],
      [50, 18, 1167.3, 2.3, 117, 1],
      [75, 27, 1161.3, 4.6, 110, 6.9],
      [100, 36, 1142, 3.6, 90, 1],
    ]),
  },
  {
    machine: 'EPYC 7551 guest, 64 GiB',
    nodes: 1,
    cpusPerNode: 16,
    gibPerNode: 64,
    rows: rowsOf([
      [0, 0, 1003.7, 16.6, 243.3, 8.1],
      [6, 1, 990, 4.6, 240.3, 1.5],
      [12, 2, 889.3, 16.7, 135, 3],
      [25, 4, 835.3, 9, 83.3, 2.5],
      [37, 6, 816.7, 17.6, 72, 1],
      [50, 8, 821, 5, 71.3, 1.2],
      [75, 12, 813.3, 5, 68.7, 2.1],
      [100, 16, 805.3, 10.8, 57.3, 15.9],
    ]),
  },
  {
    machine: 'EPYC 7551 guest, 16 GiB',
    nodes: 1,
    cpusPerNode: 4,
    gibPerNode: 16,
    rows: rowsOf([
      [0, 0, 722.3, 9.5, 50.7, 0.6],
      [25, 1, 746.3, 4.7, 51.7, 1.2],
      [50, 2, 721, 11.3, 35.7, 4.9],
      [75, 3, 724.3, 11.2, 26, 0],
      [100, 4, 700.3, 13.6, 22.3, 0.6],
    ]),
  },
  {
    machine: 'Xeon E5-2699 v3 guest, 14 GiB',
    nodes: 1,
    cpusPerNode: 4,
    gibPerNode: 14,
    rows: rowsOf([
      [0, 0, 673, 6.9, 57, 1],
      [25, 1, 677.3, 19.8, 56, 1],
      [50, 2, 650, 3.6, 36, 5.2],
      [75, 3, 644.7, 7.6, 25, 1],
      [100, 4, 637, 5.6, 21, 0],
    ]),
  },
];

/** The second reporter's machine: a node's line without the series, with it, and with its second version. */
export const SECOND_REPORT: PublishedLog = {
  machine: '96 cpus, 192 GiB',
  boot: { beforeMs: 629.376, withMs: 361.069 },
  nodes: [
    { nid: 0, pages: 23_398_907, beforeMs: 292, withMs: 28, againMs: 36 },
    { nid: 1, pages: 24_189_223, beforeMs: 304, withMs: 28, againMs: 32 },
  ],
};
