// node main.mjs [--pictures N] [--threads N] [--repeat N]: draws pictures, then makes their thumbnails in order, three times over.
import sharp from 'sharp';
import { check, compare, numbers } from '../compare.mjs';
import * as oneThread from './one-thread.mjs';
import * as padata from './padata.mjs';
import { drawPictures } from './pictures.mjs';
import * as piscina from './piscina.mjs';

const { pictures: count, threads, repeat } = numbers({ pictures: 20 });
const pictures = await drawPictures(count);
const made = new Map();

const subject = (name, { thumbnails }) => ({
  file: new URL(`./${name}.mjs`, import.meta.url),
  work: async () => {
    const all = [];
    for await (const thumbnail of thumbnails(pictures, threads)) all.push(Buffer.from(thumbnail));
    made.set(name, all);
  },
});
await compare(
  {
    'one-thread': subject('one-thread', oneThread),
    padata: subject('padata', padata),
    piscina: subject('piscina', piscina),
  },
  repeat,
);

const expected = made.get('one-thread');
check(expected.length === count, 'there is a thumbnail of each picture');
for (const [i, thumbnail] of expected.entries()) {
  const { width, height, format } = await sharp(thumbnail).metadata();
  check(`${width}x${height} ${format}` === '160x120 webp', `thumbnail ${i} is a small picture`);
  for (let j = 0; j < i; j += 1)
    check(!thumbnail.equals(expected[j]), `thumbnails ${j} and ${i} are of two pictures`);
}
for (const name of ['padata', 'piscina']) {
  check(made.get(name).length === count, `${name} made each thumbnail`);
  for (const [i, thumbnail] of made.get(name).entries())
    check(thumbnail.equals(expected[i]), `thumbnail ${i} of ${name} is that of one thread`);
}
console.log(`${count} pictures, ${threads} threads: thumbnails in order, thrice the same`);
