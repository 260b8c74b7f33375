/**
 * Fill kernels: set a run of bytes of a column to one value.
 *
 * A column in WebAssembly memory is filled by the `memory.fill` instruction, which runs at the speed of
 * memset on shared memory, where `TypedArray.prototype.fill` must not and is 7 to 30 times slower. The
 * module is assembled here from its instructions: one imported shared memory and
 *
 *     (func (export "fill") (param i32 i32 i32)
 *       local.get 0  local.get 1  local.get 2  memory.fill)
 *
 * Without WebAssembly a column is filled by copying a template (`set`), in pieces that stay in cache.
 * Source: WebAssembly core specification, binary format, bulk memory operations.
 */
import { type WasmMemory, wasm } from './wasm-types.js';

/** Sets `[start, end)` of the column to `value`. Indices of bytes. */
export type FillKernel = (value: number, start: number, end: number) => void;

/** Bytes of one unsigned LEB128 number. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

const section = (id: number, body: readonly number[]): number[] => [
  id,
  ...leb(body.length),
  ...body,
];
const text = (value: string): number[] => [...leb(value.length), ...ascii(value)];
function ascii(value: string): number[] {
  return Array.from(value, (c) => c.charCodeAt(0));
}

const I32 = 0x7f;
const FUNC = 0x60;
const LOCAL_GET = 0x20;
const END = 0x0b;
const MAX_WASM_PAGES = 65536;

/** The binary of the fill module. */
function fillModuleBytes(): Uint8Array<ArrayBuffer> {
  const sharedWithMaximum = 3;
  const memoryImport = [
    ...text('env'),
    ...text('memory'),
    0x02,
    sharedWithMaximum,
    ...leb(0),
    ...leb(MAX_WASM_PAGES),
  ];
  const code = [0, LOCAL_GET, 0, LOCAL_GET, 1, LOCAL_GET, 2, 0xfc, ...leb(11), 0, END];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, FUNC, 3, I32, I32, I32, 0]),
    ...section(2, [1, ...memoryImport]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('fill'), 0x00, 0]),
    ...section(10, [1, ...leb(code.length), ...code]),
  ]);
}

/**
 * Kernel for a column that starts at `byteOffset` of a WebAssembly memory.
 * @param memory      shared memory, not growing
 * @param byteOffset  where the column starts
 */
export function wasmFill(memory: WasmMemory, byteOffset: number): FillKernel {
  const api = wasm();
  const instance = new api.Instance(new api.Module(fillModuleBytes()), { env: { memory } });
  const fill = instance.exports['fill'] as (at: number, value: number, bytes: number) => void;
  // A wasm i32 wraps: positions from 2 GiB on become negative here and unsigned again inside.
  return (value, start, end) => {
    fill((byteOffset + start) | 0, value, (end - start) | 0);
  };
}

const TEMPLATE_BYTES = 32768;
const SMALL = 64;

/** Kernel for a column that is a plain typed array over any buffer. */
export function arrayFill(column: Uint8Array): FillKernel {
  const templates = new Map<number, Uint8Array>();
  const templateOf = (value: number): Uint8Array => {
    let template = templates.get(value);
    if (template === undefined) {
      template = new Uint8Array(TEMPLATE_BYTES).fill(value);
      templates.set(value, template);
    }
    return template;
  };
  return (value, start, end) => {
    if (end - start <= SMALL) {
      for (let i = start; i < end; i++) column[i] = value;
      return;
    }
    const template = templateOf(value);
    for (let at = start; at < end; at += TEMPLATE_BYTES) {
      const bytes = Math.min(TEMPLATE_BYTES, end - at);
      column.set(bytes === TEMPLATE_BYTES ? template : template.subarray(0, bytes), at);
    }
  };
}

/** Words looked at together: a page of the operating system. */
const WORDS_PER_PAGE = 1024;

/**
 * Zeroes `[start, end)` of a column without touching memory that was never used: reading such memory costs nothing
 * that stays, writing it would.
 */
export function zeroWhereUsed(column: Int32Array, start: number, end: number): void {
  for (let at = start; at < end;) {
    const next = Math.min(end, (Math.floor(at / WORDS_PER_PAGE) + 1) * WORDS_PER_PAGE);
    let used = 0;
    for (let i = at; i < next; i++) used |= column[i]!;
    if (used !== 0) column.fill(0, at, next);
    at = next;
  }
}
