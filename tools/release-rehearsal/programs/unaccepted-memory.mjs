// An arena is prepared piece by piece, by two threads' worth of views; a modelled platform counts its calls.
import { createTdxModel } from '@bootmem/unaccepted-memory/platform';

export default async function program(api, assert) {
  const arena = new SharedArrayBuffer(8 * 2 ** 20);
  const memory = api.UnacceptedMemory.create({
    ranges: [{ start: 0, end: arena.byteLength }],
    backend: api.createPrefaultBackend({ arena }),
    guard: false,
  });
  const other = api.UnacceptedMemory.attach(memory.toHandle());
  other.acceptMemory(3 * 2 ** 20, 4096);
  assert.equal(memory.unitState(3 * 2 ** 20), 'accepted');
  assert.equal(memory.containsUnaccepted(0, 4096), true);
  assert.equal(memory.unacceptedBytes(), 6 * 2 ** 20);
  assert.equal(createTdxModel({ hostPageSize: 4096 }).cost(0, 4 * 2 ** 20).calls, 1024);
  assert.throws(() => memory.acceptMemory(-1, 1), { code: 'ERR_ACCEPT_ARGUMENT' });
}
