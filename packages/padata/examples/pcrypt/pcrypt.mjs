/**
 * Ordered parallel encryption of a stream: what padata was first made for (IPsec packets through AES-GCM). Packets are
 * sealed on all threads and leave in the order in which they came.
 *
 *   stream   magic "PCR1" | salt (4) | packets; a packet is length (4, big endian) | last (1) | cipher text | tag (16)
 */
import { randomBytes } from 'node:crypto';
import { orderedMap } from '@bootmem/padata';
import { TAG } from './jobs.mjs';

const MAGIC = Buffer.from('PCR1');
const SALT = 4;
export const PACKET = 64 * 1024;

/** Cuts a source into packets of `PACKET` bytes with a mark on the last. */
async function* packets(source) {
  let packet = new Uint8Array(1 + PACKET);
  let filled = 1;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      if (filled === packet.length) {
        yield packet;
        packet = new Uint8Array(1 + PACKET);
        filled = 1;
      }
      const take = Math.min(chunk.length - at, packet.length - filled);
      packet.set(chunk.subarray(at, at + take), filled);
      filled += take;
      at += take;
    }
  }
  packet[0] = 1;
  yield packet.subarray(0, filled);
}

/** Reads exactly the asked-for numbers of bytes from a source of chunks. */
class ByteReader {
  #iterator;
  #rest = Buffer.alloc(0);

  constructor(source) {
    this.#iterator = source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]();
  }

  async read(bytes) {
    const parts = [];
    let missing = bytes;
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#iterator.next();
        if (done) return undefined;
        this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
        continue;
      }
      const take = Math.min(missing, this.#rest.length);
      parts.push(this.#rest.subarray(0, take));
      this.#rest = this.#rest.subarray(take);
      missing -= take;
    }
    return Buffer.concat(parts);
  }
}

const options = (key, salt) => ({
  window: 64,
  slotBytes: 2 * (PACKET + 1 + TAG) + 256,
  outputBytes: (inputBytes) => inputBytes + TAG,
  shared: { key, salt },
});
const job = (name) => ({ module: new URL('./jobs.mjs', import.meta.url), name });

/** Encrypts `source`; yields the bytes of the sealed stream. `key`: 32 bytes. */
export async function* encrypt(pool, source, key) {
  const salt = randomBytes(SALT);
  yield Buffer.concat([MAGIC, salt]);
  for await (const packet of orderedMap(pool, packets(source), job('seal'), options(key, salt))) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(packet.length);
    yield length;
    yield packet;
  }
}

/** Decrypts what `encrypt` made; throws when a bit is wrong, a packet is missing or the end is cut off. */
export async function* decrypt(pool, source, key) {
  const reader = new ByteReader(source);
  const head = await reader.read(MAGIC.length + SALT);
  if (head === undefined || !head.subarray(0, MAGIC.length).equals(MAGIC))
    throw new Error('not a pcrypt stream');
  async function* sealed() {
    for (let last = false; !last;) {
      const length = await reader.read(4);
      if (length === undefined) throw new Error('the stream ends before its last packet');
      const size = length.readUInt32BE();
      if (size < 1 + TAG || size > 1 + PACKET + TAG)
        throw new Error(`a packet of ${size} bytes cannot be`);
      const packet = await reader.read(size);
      if (packet === undefined) throw new Error('the stream ends inside a packet');
      last = packet[0] === 1;
      yield packet;
    }
  }
  for await (const packet of orderedMap(
    pool,
    sealed(),
    job('open'),
    options(key, head.subarray(MAGIC.length)),
  )) {
    yield packet.subarray(1);
  }
}
