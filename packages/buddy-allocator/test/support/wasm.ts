/** WebAssembly memories for tests; the library that types them is that of browsers, which would let all else of these through. */
export interface Memory {
  get buffer(): ArrayBufferLike;
  grow(pages: number): number;
}

interface MemoryType {
  readonly initial: number;
  readonly maximum: number;
  readonly shared?: boolean;
}

export const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: { Memory: new (type: MemoryType) => Memory };
};

/** Bytes of a page of it. */
export const WASM_PAGE = 65_536;

/** A memory of so many pages, at first and at most. */
export const memoryOf = (shared: boolean, initial: number, maximum: number): Memory =>
  new wasm.Memory({ initial, maximum, ...(shared ? { shared } : {}) });
