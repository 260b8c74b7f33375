/** Bytes read at a time; about what a block has. */
export const BLOCK_BYTES = 256 * 1024;

/** Blocks that are under way at a time, which bounds the memory. */
export const WINDOW = 16;

const LINE_END = 0x0a;
const NOTHING = new Uint8Array(0);

/** Cuts a stream of bytes after line ends: blocks of whole lines. */
export async function* blocksOfLines(source) {
  let begun = NOTHING;
  for await (const chunk of source) {
    const end = chunk.lastIndexOf(LINE_END) + 1;
    if (end > 0) yield join(begun, chunk.subarray(0, end));
    begun = join(end > 0 ? NOTHING : begun, chunk.subarray(end));
  }
  if (begun.length > 0) yield begun;
}

function join(left, right) {
  const bytes = new Uint8Array(left.length + right.length);
  bytes.set(left);
  bytes.set(right, left.length);
  return bytes;
}
