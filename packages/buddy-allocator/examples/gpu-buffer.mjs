// Use 3: meshes inside one large GPU buffer. The allocator manages offsets only; the buffer may be
// anything. A Uint8Array stands for it here. Run: node examples/gpu-buffer.mjs
import { BuddyAllocator } from '@bootmem/buddy-allocator';

const UNIT = 256; // bytes: what the device wants offsets aligned to
const gpu = new Uint8Array(4 << 20);
const offsets = BuddyAllocator.create({ pages: gpu.length / UNIT, pageSize: UNIT, data: null });

// Meshes of one unit each, named by the byte they are filled with.
const meshes = new Map();
for (let id = 0; ; id += 1) {
  const at = offsets.alloc(0);
  if (at === undefined) break;
  gpu.fill(id % 251, at * UNIT, (at + 1) * UNIT);
  meshes.set(at, id);
}
console.log(`${meshes.size} meshes fill the buffer`);

// Three of four are dropped, all over the buffer: much is free, but in crumbs.
for (const [at, id] of [...meshes]) {
  if (id % 4 === 0) continue;
  offsets.free(at, 0);
  meshes.delete(at);
}
offsets.drain();
console.log(
  `free ${offsets.stats().freePages} units, unusable for 256 KiB: ${offsets.fragmentation(10)}`,
);
console.log(`256 KiB: ${offsets.alloc(10) === undefined ? 'no place' : 'found'}`);

// The allocator says what goes where; moving it is ours.
const { moved } = offsets.compact((from, to, units) => {
  const id = meshes.get(from);
  if (id === undefined) return false;
  gpu.copyWithin(to * UNIT, from * UNIT, (from + units) * UNIT);
  meshes.delete(from);
  meshes.set(to, id);
  return true;
});
const intact = [...meshes].every(([at, id]) => gpu[at * UNIT] === id % 251);
console.log(`moved ${moved > 0 ? 'some' : 'none'}, intact: ${intact}`);
console.log(`unusable for 256 KiB: ${offsets.fragmentation(10)}`);

// 100 units exactly: what a power of two would waste stays free.
const before = offsets.stats().freePages;
const big = offsets.alloc(10);
const exact = offsets.allocExact(100);
console.log(`256 KiB: ${big === undefined ? 'no place' : 'found'}`);
console.log(`units used: ${before - offsets.stats().freePages - 1024}`);
offsets.freeExact(exact, 100);
offsets.close();
