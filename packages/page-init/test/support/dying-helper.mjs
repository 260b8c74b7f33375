// A helper of a device mapping that takes a unit, does a part of it, says so, and never goes on.
import { parentPort, workerData } from 'node:worker_threads';
import { Memmap } from '@bootmem/memmap';
import { ThreadRegistry } from '@bootmem/memmap/shared';
import { DeviceInit } from '@bootmem/page-init/device';

const memmap = Memmap.attach(workerData.memmap);
const liveness = ThreadRegistry.attach(workerData.liveness);
const threadId = liveness.register(workerData.threadId);
const init = DeviceInit.attach(workerData.device, { memmap, owner: { threadId, liveness } });
const first = init.startPfn + workerData.unit * init.unitPages;
if (!init.claims.tryClaim(workerData.unit)) throw new Error('the unit is taken');
memmap.initDeviceRange(first, first + 400, 1, 77);
memmap.setDriverWord(first, 1234);
parentPort.postMessage('busy');
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
