// What a thread does: the bytes of a picture in, those of its thumbnail out. libvips would start threads of its own for
// each picture; here the pool's are enough.
import sharp from 'sharp';

sharp.concurrency(1);
sharp.cache(false);

export async function thumbnail(picture) {
  const small = sharp(picture).resize(160, 120, { fit: 'cover' }).webp({ quality: 70 });
  return new Uint8Array(await small.toBuffer());
}
