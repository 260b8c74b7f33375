import { UnacceptedMemory } from '@bootmem/unaccepted-memory';
import { createSnpModel } from '@bootmem/unaccepted-memory/platform';
import type { AcceptBackend, StateRun } from '@bootmem/unaccepted-memory';

const backend: AcceptBackend = createSnpModel();
const memory = UnacceptedMemory.create({ ranges: [{ start: 0, end: 16 * 2 ** 20 }], backend });
memory.acceptMemory(0, 4096);
const runs: readonly StateRun[] = memory.stateRuns();
if (runs[0]?.state !== 'accepted' || runs.length !== 2) throw new Error('one unit is accepted');
