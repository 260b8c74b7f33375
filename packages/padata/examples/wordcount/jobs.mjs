// Counts the words that begin in [start, end) of the shared text; a word that runs over the end is this chunk's too.
const isLetter = (byte) =>
  (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || byte === 39 || byte >= 128;

export function countWords(start, end, { buffer, length }) {
  const bytes = new Uint8Array(buffer, 0, length);
  const counts = new Map();
  const decoder = new TextDecoder();
  let at = start;
  // A word that began before `start` belongs to the chunk before.
  if (at > 0) while (at < end && isLetter(bytes[at - 1]) && isLetter(bytes[at])) at += 1;
  while (at < end) {
    while (at < end && !isLetter(bytes[at])) at += 1;
    if (at >= end) break;
    const from = at;
    while (at < length && isLetter(bytes[at])) at += 1;
    // TextDecoder takes no views of shared memory.
    const word = decoder.decode(bytes.slice(from, at)).toLowerCase();
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}
