/** Text to compress: large, repeatable, and about as compressible as prose. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Random } from './random.mjs';

/** Writes seeded text: words of a made-up vocabulary with Zipf's frequencies, in lines. */
export function writeText(path: string, bytes: number): void {
  const source = new Random(12345);
  const random = (): number => source.unit();
  const letters = 'etaoinshrdlucmfwypvbgk';
  const words = Array.from({ length: 20_000 }, () =>
    Array.from(
      { length: 2 + Math.floor(random() * random() * 11) },
      () => letters[Math.floor(random() * random() * letters.length)],
    ).join(''),
  );
  const file = openSync(path, 'w');
  for (let written = 0; written < bytes;) {
    const parts: string[] = [];
    for (let length = 0; length < 1 << 20;) {
      const word = words[Math.floor(words.length ** random()) - 1] ?? 'the';
      parts.push(word, random() < 0.1 ? '.\n' : ' ');
      length += word.length + 1;
    }
    const text = parts.join('').slice(0, bytes - written);
    written += writeSync(file, text);
  }
  closeSync(file);
}
