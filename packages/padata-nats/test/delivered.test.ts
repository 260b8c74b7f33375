import { expect, test } from '@jest/globals';
import { Delivered } from '../dist/run/delivered.js';
import type { Publisher } from '../dist/server/publisher.js';
import type { Engine } from '../dist/server/streams.js';
import { Names } from '../dist/wire/names.js';

test('results are taken off the server below what is delivered, and never by numbers that begin again', () => {
  const purged: unknown[] = [];
  const engine = {
    names: new Names(),
    jsm: {
      streams: {
        purge: (stream: string, how: unknown) => {
          purged.push([stream, how]);
          return Promise.resolve();
        },
      },
    },
  } as unknown as Engine;
  const options = { run: 'r', keepsPosition: false, isOurs: () => true };
  const delivered = new Delivered(engine, undefined as unknown as Publisher, options);
  const take = (count: number, stream: number, first: number): void => {
    for (let i = 0; i < count; i += 1) delivered.arrived(stream + i, first + i);
    delivered.upTo(first + count);
    delivered.trim();
  };
  take(511, 1, 0);
  expect(purged).toEqual([]);
  take(1, 512, 511);
  expect(purged).toEqual([['padata_RESULTS', { filter: 'padata.res.r', seq: 513 }]]);
  take(511, 513, 512);
  // The server has lost them, and gives their numbers again.
  delivered.anew();
  take(100, 400, 1023);
  expect(purged).toHaveLength(1);
  take(412, 500, 1123);
  expect(purged.slice(1)).toEqual([['padata_RESULTS', { filter: 'padata.res.r', seq: 912 }]]);
});
