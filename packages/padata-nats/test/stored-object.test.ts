/** An object whose chunks go while it is read; on a real server: large.server.test.ts. */
import { expect, test } from '@jest/globals';
import { readObject } from '../dist/server/stored-object.js';
import type { Bucket } from '../dist/server/stored-object.js';

type Step = 'bytes' | 'silence' | 'corrupt';

/** A bucket: of each look and each read in turn, chunks that the stream has and what reading gives. */
function bucketOf(
  chunks: number[],
  steps: Step[],
  objects: string[] = ['a'],
): Bucket & { cancelled: number } {
  const bucket = {
    name: 'B',
    cancelled: 0,
    store: {
      info: () =>
        Promise.resolve({
          nuid: objects.length > 1 ? objects.shift() : objects[0],
          chunks: 2,
          deleted: false,
        }),
      get: () => {
        const step = steps.shift();
        const data = new ReadableStream<Uint8Array>({
          start: (controller) => {
            controller.enqueue(new Uint8Array([1, 2]));
            if (step === 'corrupt') controller.error(new Error('received a corrupt object'));
            if (step !== 'bytes') return;
            controller.enqueue(new Uint8Array([3]));
            controller.close();
          },
          cancel: () => {
            bucket.cancelled += 1;
          },
        });
        return Promise.resolve({ data, error: Promise.resolve(null) });
      },
    },
    jsm: {
      streams: {
        info: (_stream: string, { subjects_filter: subject }: { subjects_filter: string }) =>
          Promise.resolve({ state: { subjects: { [subject]: chunks.shift() } } }),
      },
    },
  };
  return bucket as unknown as Bucket & { cancelled: number };
}

test('all chunks are there: its bytes, in order', async () => {
  expect(await readObject(bucketOf([2], ['bytes']), 'o', 5)).toEqual(Buffer.from([1, 2, 3]));
});

test('a chunk is gone before it is read: null, and nothing is waited for', async () => {
  expect(await readObject(bucketOf([1], []), 'o', 5)).toBeNull();
});

test('a chunk goes while it is read: null, and the reader is let go of', async () => {
  const silent = bucketOf([2, 1, 1], ['silence']);
  expect(await readObject(silent, 'o', 5)).toBeNull();
  expect(silent.cancelled).toBe(1);
  expect(await readObject(bucketOf([2, 0, 0], ['corrupt']), 'o', 5)).toBeNull();
});

test('chunks that are there and do not come are a timeout, others than were written corrupt', async () => {
  await expect(readObject(bucketOf([2, 2], ['silence']), 'o', 5)).rejects.toThrow('timeout');
  await expect(readObject(bucketOf([2, 2], ['corrupt']), 'o', 5)).rejects.toThrow('corrupt');
});

test('written again meanwhile: the new one is read', async () => {
  const before = bucketOf([0, 2], ['bytes'], ['a', 'b']);
  expect(await readObject(before, 'o', 5)).toHaveLength(3);
  const during = bucketOf([2, 0, 2], ['silence', 'bytes'], ['a', 'b']);
  expect(await readObject(during, 'o', 5)).toHaveLength(3);
});
