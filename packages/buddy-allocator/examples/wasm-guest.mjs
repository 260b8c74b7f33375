// The WebAssembly module of wasm-host.mjs, byte by byte, so that the example needs no compiler:
//
//   (module
//     (import "host" "memory" (memory 1 64 shared))
//     (func (export "fill") (param $at i32) (param $end i32) (param $value i32)
//       (loop
//         (i32.store (local.get $at) (local.get $value))
//         (local.tee $at (i32.add (local.get $at) (i32.const 4)))
//         (br_if 0 (i32.lt_u (local.get $end)))))
//     (func (export "sum") (param $at i32) (param $end i32) (result i32) (local $sum i32)
//       (loop
//         (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))
//         (local.tee $at (i32.add (local.get $at) (i32.const 4)))
//         (br_if 0 (i32.lt_u (local.get $end))))
//       (local.get $sum)))

const I32 = 0x7f;
const text = (name) => [name.length, ...Buffer.from(name)];
/** A section, a function's code, or anything else with its length before it; all of them are shorter than 128 bytes here. */
const sized = (...bytes) => [bytes.length, ...bytes];
const section = (id, ...bytes) => [id, ...sized(...bytes)];
const get = (local) => [0x20, local];
const LOOP = [0x03, 0x40];
const END = 0x0b;
/** To the next word, and again while it lies before the end. */
const NEXT = [...get(0), 0x41, 4, 0x6a, 0x22, 0, ...get(1), 0x49, 0x0d, 0, END];

const BYTES = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
  ...section(1, 2, 0x60, 3, I32, I32, I32, 0, 0x60, 2, I32, I32, 1, I32), // types
  ...section(2, 1, ...text('host'), ...text('memory'), 0x02, 0x03, 1, 64), // a shared memory
  ...section(3, 2, 0, 1), // the types of two functions
  ...section(7, 2, ...text('fill'), 0, 0, ...text('sum'), 0, 1), // exports
  ...section(
    10,
    2,
    ...sized(0, ...LOOP, ...get(0), ...get(2), 0x36, 2, 0, ...NEXT, END),
    ...sized(
      ...[1, 1, I32, ...LOOP],
      ...[...get(2), ...get(0), 0x28, 2, 0, 0x6a, 0x21, 2],
      ...[...NEXT, ...get(2), END],
    ),
  ),
]);

/** The functions of a guest in a memory. */
export function guest(memory) {
  const module = new WebAssembly.Module(BYTES);
  return new WebAssembly.Instance(module, { host: { memory } }).exports;
}
