import sharp from 'sharp';

/** Pictures that are under way at a time, which bounds the memory. */
export const WINDOW = 16;

const WIDTHS = [320, 1600, 640, 1200, 480];

/** Pictures of several sizes, drawn by sharp itself; each has a colour and a ring of its own, so no two look the same. */
export function drawPictures(count) {
  return Promise.all(Array.from({ length: count }, (_, i) => draw(i)));
}

async function draw(i) {
  const width = WIDTHS[i % WIDTHS.length];
  const height = (width * 3) / 4;
  const background = { r: (i * 37) % 256, g: (i * 91) % 256, b: (i * 151) % 256 };
  const ring = `<svg width="${width}" height="${height}"><circle cx="50%" cy="50%" r="${10 + (i % 30)}%"
    fill="none" stroke="white" stroke-width="${1 + (i % 7)}%"/></svg>`;
  const noise = { type: 'gaussian', mean: 128, sigma: 30 };
  const grain = await sharp({ create: { width, height, channels: 3, noise } })
    .png()
    .toBuffer();
  return sharp({ create: { width, height, channels: 3, background } })
    .composite([{ input: grain, blend: 'soft-light' }, { input: Buffer.from(ring) }])
    .jpeg({ quality: 90 })
    .toBuffer();
}
