import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** Writes a server's log of at least so many bytes; returns the numbers of the requests in it that failed, in order. */
export async function writeLog(file, bytes) {
  const failed = [];
  let state = 1;
  const below = (n) => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) % n;
  function* pieces() {
    let id = 0;
    for (let written = 0; written < bytes;) {
      let piece = '';
      while (piece.length < 64 * 1024) piece += `${JSON.stringify(request(id++))}\n`;
      written += piece.length;
      yield piece;
    }
  }
  function request(id) {
    const status = below(97) < 5 ? 500 + (id % 5) : 200;
    if (status >= 500) failed.push(id);
    return {
      time: new Date(1_767_225_600_000 + id * 7).toISOString(),
      level: status >= 500 ? 'error' : 'info',
      id,
      method: id % 3 === 0 ? 'POST' : 'GET',
      path: `/shops/${below(9973)}/orders/${below(99_991)}`,
      status,
      ms: below(50_021) / 10,
      client: `10.${below(251)}.${below(241)}.${below(239)}`,
      agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    };
  }
  await pipeline(pieces, createWriteStream(file));
  return failed;
}
