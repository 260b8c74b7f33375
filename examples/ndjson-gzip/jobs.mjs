// What a thread does: a block of whole lines in, what failed of it out, as a gzip member. Members one after another are
// a gzip file.
import { gzipSync } from 'node:zlib';

export function keepFailures(block) {
  const text = Buffer.from(block.buffer, block.byteOffset, block.byteLength).toString();
  let kept = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const { id, time, method, path, status, ms } = JSON.parse(line);
    if (status >= 500) kept += `${JSON.stringify({ id, time, method, path, status, ms })}\n`;
  }
  return gzipSync(kept);
}
