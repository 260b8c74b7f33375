// Reads a small log and says where its memory is; makes up a machine and takes it through JSON.
export default async (api, assert) => {
  const { deriveMemory } = await import('@bootmem/firmware-map/derive');
  const log = [
    'Linux version 6.12.0 (user@host) #1 SMP',
    'BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable',
    'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
  ].join('\n');
  const read = await api.readDescription([log], { name: 'log' });
  assert.equal(read.ok, true);
  const { memory } = deriveMemory(read.description);
  assert.deepEqual(
    memory.map(({ start, end, nid }) => [start, end, nid]),
    [
      [0x1000, 0xa0000, 0],
      [0x100000, 0x40000000, 0],
    ],
  );
  const machine = api.synthesize({ memory: '768G', nodes: 2, cpus: 104 });
  assert.deepEqual(api.fromJson(api.toJson(machine)), { ok: true, description: machine });
  const refused = api.parseDescription('no log at all');
  assert.equal(refused.ok, false);
  assert.equal(refused.problems[0].code, 'NO_MEMORY_MAP');
};
