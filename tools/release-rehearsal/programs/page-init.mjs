// Two nodes, early pass, growth, deferred pass: every page handed over once.
import { Memmap } from '@bootmem/memmap';
import { splitJobs } from '@bootmem/page-init/deferred';
import { DeviceMemory } from '@bootmem/page-init/device';

export default async (api, assert) => {
  const plan = api.planInit({
    memory: [
      { startPfn: 0, endPfn: 0x20000, nid: 0 },
      { startPfn: 0x20000, endPfn: 0x50000, nid: 1 },
    ],
    reserved: [{ startPfn: 0x30000, endPfn: 0x30010 }],
    zones: [
      { nid: 0, zoneIndex: 2, startPfn: 0, endPfn: 0x20000 },
      { nid: 1, zoneIndex: 2, startPfn: 0x20000, endPfn: 0x50000 },
    ],
  });
  assert.deepEqual(
    plan.nodes.map((node) => node.firstDeferredPfn),
    [0x8000, 0x28000],
  );
  assert.equal(plan.pages.deferred, 0x18000 + 0x28000 - 16);
  const left = { startPfn: 0x28000, endPfn: 0x50000 };
  const jobs = splitJobs('range-groups', plan.nodes[1].deferredRanges, left, 0x8000);
  assert.equal(jobs.length, 2);
  // The device holds its own descriptors, 64 bytes each on the machine that is modelled.
  const memmap = Memmap.create({ ranges: plan.sections, maxPfn: 0x140000 });
  const mapping = new DeviceMemory({ memmap, memory: plan.sections }).memremapPages({
    name: 'pmem0',
    type: 'generic',
    ranges: [{ startPfn: 0x100000, endPfn: 0x140000 }],
    altmap: { reserve: 2, free: 4606 },
  });
  assert.equal(mapping.ranges[0].altmap.alloc, 4096);
  assert.equal(mapping.pages, 0x40000 - 4608);
};
