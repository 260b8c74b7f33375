import { Memblock, type MemblockState, type MemRange } from '@bootmem/memblock';
import { replayTrace, type TraceScenario } from '@bootmem/memblock/trace';

const memblock = new Memblock({ maxNodes: 16, direction: 'bottom-up' });
memblock.add(0x100000, 0x100000, { nid: 1 });
const found: number | undefined = memblock.allocNode(0x1000, 1, { align: 0x1000 });
const ranges: MemRange[] = [...memblock.freeRanges()];
const state: MemblockState = memblock.toState();
const scenario: TraceScenario | undefined = undefined;
if (found !== 0x100000 || ranges.length !== 1 || state.memory.length !== 1) process.exitCode = 1;
if (scenario !== undefined) replayTrace(scenario);
