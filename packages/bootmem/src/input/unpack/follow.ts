/**
 * Follows a packed file's own structure while its bytes pass, before what unpacks them sees them: what a header claims is known
 * before anything is allocated for it. No byte is kept but those of the headers.
 *
 * ```
 * pieces ─▶ | header | ─ body, not looked at ─ | header | ─ body ─ …
 *             take n            skip n           take n     skip n
 * ```
 */

/** What a format's reader asks for: the next bytes, or to get past them. */
export interface Want {
  readonly bytes: number;
  readonly isBody: boolean;
}

/**
 * A reader of a format, which is handed each header that it asks for; whoever returns has seen all that matters.
 * Throws what it refuses.
 */
export type Walk = Generator<Want, void, Uint8Array>;

/** Asks for the next `bytes` of a header. */
export function* take(bytes: number): Generator<Want, Uint8Array, Uint8Array> {
  return bytes === 0 ? new Uint8Array(0) : yield { bytes, isBody: false };
}

/** Gets past `bytes` of a body. */
export function* skip(bytes: number): Walk {
  if (bytes > 0) yield { bytes, isBody: true };
}

/**
 * Starts a walk.
 * @param walk  of a format
 * @returns call it with each piece of the file, in order; it throws what the walk refuses
 */
export function follow(walk: Walk): (piece: Uint8Array) => void {
  const none = new Uint8Array(0);
  let want = walk.next();
  let left = want.done === true ? 0 : want.value.bytes;
  let header: number[] = [];
  return (piece) => {
    let at = 0;
    while (want.done !== true && at < piece.byteLength) {
      const part = Math.min(left, piece.byteLength - at);
      if (!want.value.isBody) header.push(...piece.subarray(at, at + part));
      at += part;
      left -= part;
      if (left > 0) return;
      want = walk.next(header.length === 0 ? none : Uint8Array.from(header));
      header = [];
      left = want.done === true ? 0 : want.value.bytes;
    }
  };
}

/** A number whose lowest byte comes first. */
export function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
