// Two nodes, early pass, growth, deferred pass: every page handed over once.
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
  const jobs = api.splitJobs(
    'range-groups',
    plan.nodes[1].deferredRanges,
    0x28000,
    0x50000,
    0x8000,
  );
  assert.equal(jobs.length, 2);
  assert.equal(
    new api.Altmap(0x100000, 0x40000, { reserve: 2, free: 4606 }).populate(0x40000, 64, 4096),
    4096,
  );
};
