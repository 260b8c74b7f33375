/** The parts of the unpacking packages that are used here; the packages' own types bring the browser's along. */

declare module 'xz-decompress' {
  const xz: { readonly XzReadableStream: new (packed: ReadableStream<Uint8Array>) => unknown };
  export default xz;
}

declare module 'fzstd' {
  export class Decompress {
    constructor(ondata: (data: Uint8Array) => void);
    push(chunk: Uint8Array, final?: boolean): void;
  }
}
