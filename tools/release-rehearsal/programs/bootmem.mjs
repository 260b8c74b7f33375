import { checkMachine } from 'bootmem/check';

export default async (api, assert) => {
  const { description } = await api.loadMachine(undefined);
  const texts = [];
  for (const threads of [1, 2]) {
    const machine = await api.bootMemory(description, { threads });
    texts.push(machine.buddyinfo());
    await machine.close();
  }
  assert.equal(texts[0], texts[1]);
  assert.match(texts[0], /^Node 3, zone {3}Normal/m);
  const report = checkMachine({ description, source: 'sample', notes: [] });
  assert.equal(report.differs, 0);
  assert.ok(report.equal > 100);
};
