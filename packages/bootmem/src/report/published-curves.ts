/**
 * Thread scaling of deferred initialisation as published with the padata series (v2, patch 5, April
 * 2020): time of the slowest node by thread count on six machines. Data, not ours; shown beside our curve.
 *
 * Source: "mm: parallelize deferred_init_memmap()", linux-mm mailing list, tables in the patch's text.
 */

/** One machine's curve. */
export interface PublishedCurve {
  readonly machine: string;
  /** Pairs of threads and milliseconds; 0 threads = without the series. */
  readonly points: readonly (readonly [threads: number, ms: number])[];
}

/** The six machines of the series. */
export const PUBLISHED_CURVES: readonly PublishedCurve[] = [
  {
    machine: 'Xeon Platinum 8167M, 2 nodes × 384 GiB',
    points: [
      [0, 1779],
      [1, 1717.7],
      [6, 341],
      [13, 193.3],
      [19, 175.3],
      [26, 193.7],
      [39, 172.7],
      [52, 143.3],
    ],
  },
  {
    machine: 'Xeon E5-2699C v4, 192 GiB',
    points: [
      [0, 1104.3],
      [1, 1074.7],
      [4, 305.3],
      [8, 174],
      [12, 145.3],
      [16, 133],
      [24, 128],
      [32, 126.3],
    ],
  },
  {
    machine: 'Xeon E5-2699 v3, 2 nodes × 128 GiB',
    points: [
      [0, 630],
      [1, 625.3],
      [4, 200.3],
      [9, 128],
      [13, 117.7],
      [18, 117],
      [27, 110],
      [36, 90],
    ],
  },
  {
    machine: 'EPYC 7551 guest, 64 GiB',
    points: [
      [0, 243.3],
      [1, 240.3],
      [2, 135],
      [4, 83.3],
      [6, 72],
      [8, 71.3],
      [12, 68.7],
      [16, 57.3],
    ],
  },
  {
    machine: 'EPYC 7551 guest, 16 GiB',
    points: [
      [0, 50.7],
      [1, 51.7],
      [2, 35.7],
      [3, 26],
      [4, 22.3],
    ],
  },
  {
    machine: 'Xeon E5-2699 v3 guest, 14 GiB',
    points: [
      [0, 57],
      [1, 56],
      [2, 36],
      [3, 25],
      [4, 21],
    ],
  },
];
