// What the threads of a boot run, with a death in it: between two sections of a chunk or in the middle of one.
import { Memmap } from '@bootmem/memmap';
import { currentWorker } from '@bootmem/padata/worker';
import { attachThread, initChunk as init, initDeviceChunk } from '../../dist/worker/init-worker.js';

export { attachThread, initDeviceChunk };

const SECTION = 32768;
const when = new URL(import.meta.url).searchParams.get('when');
const inWorker = currentWorker() !== 0;

/** Last word of the thread table, which no worker uses: 1 = a worker has met its end. */
let met;

function die() {
  if (Atomics.exchange(met, 0, 1) === 1) return;
  Atomics.notify(met, 0);
  process.exit(9);
}

if (inWorker && when === 'section') {
  const { initRange } = Memmap.prototype;
  Memmap.prototype.initRange = function (...args) {
    die();
    return initRange.apply(this, args);
  };
}

/** As the real one, but the owner's thread lets a worker come first. */
export function initChunk(start, end, arg) {
  met = new Int32Array(arg.machine.threads).subarray(-1);
  // The limit is for a worker that never comes, which fails the test.
  if (!inWorker) Atomics.wait(met, 0, 0, 120_000);
  else if (when === 'chunk') {
    init(start, Math.min(end, start + SECTION), arg);
    die();
  }
  return init(start, end, arg);
}

/** For the test: whether a worker died in this boot. */
export function died() {
  return Atomics.load(met, 0) === 1;
}
