import { thumbnail } from './jobs.mjs';

export async function* thumbnails(pictures) {
  for (const picture of pictures) yield thumbnail(picture);
}
