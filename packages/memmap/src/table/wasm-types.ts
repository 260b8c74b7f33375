/**
 * The little of WebAssembly that is used here, typed by hand: the standard library typings that carry
 * it are those of the browser, which would let every other browser name through as well.
 */

/** A shared WebAssembly memory; can be posted to other threads. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

/** The part of the `WebAssembly` namespace that the fill kernels and the column storage use. */
interface WasmApi {
  readonly Memory: new (descriptor: {
    initial: number;
    maximum: number;
    shared: boolean;
  }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: Record<string, unknown> };
}

/** True where WebAssembly exists. */
export function hasWasm(): boolean {
  return 'WebAssembly' in globalThis;
}

/** The `WebAssembly` namespace; call only where {@link hasWasm}. */
export function wasm(): WasmApi {
  return (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly;
}
