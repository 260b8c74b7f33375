/**
 * Reading an object of the store: the client's reader waits for the last chunk for ever, also where none is left. So what the object
 * says of its chunks is compared with what the stream has, and reading is bound by progress.
 *
 *     object ─▶ all chunks there? ─▶ read, each chunk within a bound ─▶ bytes
 *        ▲           └ no ─▶ still the same object? ─▶ gone    └ stalled, corrupt ─▶ all chunks there? ─▶ the error
 *        └── no: written again ◀──┘                                       └ no ─▶ from the beginning
 */
import type { JetStreamManager } from '@nats-io/jetstream';
import type { ObjectStore } from '@nats-io/obj';

/** A chunk that does not come within so long is asked for anew, in milliseconds. */
const CHUNK_MS = 10_000;

/** Where objects lie. */
export interface Bucket {
  readonly name: string;
  readonly store: Pick<ObjectStore, 'info' | 'get'>;
  readonly jsm: { readonly streams: Pick<JetStreamManager['streams'], 'info'> };
}

/**
 * An object's bytes.
 * @param chunkMs time for one chunk
 * @returns null when the object, or a chunk of it, is not there any more
 * @throws what the server says; a timeout where it has chunks and does not give them
 */
export async function readObject(
  bucket: Bucket,
  name: string,
  chunkMs: number = CHUNK_MS,
): Promise<Uint8Array | null> {
  for (;;) {
    const info = await bucket.store.info(name);
    if (info === null || info.deleted) return null;
    if (!(await hasChunks(bucket, info))) {
      const now = await bucket.store.info(name);
      if (now === null || now.nuid === info.nuid) return null;
      // Written again meanwhile, under new chunks.
      continue;
    }
    try {
      return await readChunks(bucket.store, name, chunkMs);
    } catch (error) {
      if (await hasChunks(bucket, info)) throw error;
    }
  }
}

async function hasChunks(
  { name, jsm }: Bucket,
  { nuid, chunks }: { readonly nuid: string; readonly chunks: number },
): Promise<boolean> {
  const subject = `$O.${name}.C.${nuid}`;
  const { state } = await jsm.streams.info(`OBJ_${name}`, { subjects_filter: subject });
  return (state.subjects?.[subject] ?? 0) >= chunks;
}

async function readChunks(
  store: Bucket['store'],
  name: string,
  chunkMs: number,
): Promise<Uint8Array | null> {
  const object = await store.get(name);
  if (object === null) return null;
  const reader = object.data.getReader();
  // What went wrong is told by the stream as well.
  object.error.catch(() => undefined);
  const parts: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await inTime(reader, chunkMs);
    if (done) return Buffer.concat(parts);
    parts.push(value);
  }
}

async function inTime(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  ms: number,
): ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`timeout: no chunk came within ${ms} ms`));
      void reader.cancel().catch(() => undefined);
    }, ms);
  });
  try {
    return await Promise.race([reader.read(), late]);
  } finally {
    clearTimeout(timer);
  }
}
