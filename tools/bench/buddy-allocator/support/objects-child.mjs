// Child process of the benchmark of small objects: one program on one subject, one JSON line. Only the measured part
// counts: engine and subject are warm by then.
import { BuddyAllocator } from '@bootmem/buddy-allocator';
import { ObjectCache } from '@bootmem/buddy-allocator/objects';

import { Random } from '../../../kit/random.mjs';
import { warmUp } from '../../../kit/warm-up.mjs';

const LIVE = 4000;
const { program, subject, pairs, size } = JSON.parse(process.argv[2]);
const random = new Random(1);

const makers = {
  bootmem: () => ObjectCache.create(BuddyAllocator.create({ bytes: 4 << 20 }), { size }),
  '@thi.ng/malloc': async () => {
    const { MemPool } = await import('@thi.ng/malloc');
    const pool = new MemPool({ size: 4 << 20 });
    return { alloc: () => pool.malloc(size), free: (object) => pool.free(object) };
  },
  malloc: async () => {
    const { default: module } = await import('malloc');
    const Allocator = module.default ?? module;
    const heap = new Allocator(new ArrayBuffer(4 << 20));
    return { alloc: () => heap.alloc(size), free: (object) => heap.free(object) };
  },
};

const { alloc, free } = await makers[subject]();
const live = Int32Array.from({ length: LIVE }, () => alloc());

const programs = {
  replace(count) {
    for (let i = 0; i < count; i++) {
      const at = Math.floor((random.next() / 2 ** 32) * LIVE);
      free(live[at]);
      live[at] = alloc();
    }
  },
  'ping-pong'(count) {
    for (let i = 0; i < count; i++) free(alloc());
  },
};
const run = programs[program];

await warmUp(() => {
  const start = performance.now();
  run(pairs >> 5);
  return (pairs >> 5) / (performance.now() - start);
});
const before = process.cpuUsage();
run(pairs);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ pairs, cpu: (user + system) / 1e6 }));
