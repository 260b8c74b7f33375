import { parseDescription } from '@bootmem/firmware-map';
import { deriveMemory } from '@bootmem/firmware-map/derive';
import type { MachineDescription, ReadResult } from '@bootmem/firmware-map';
import type { DerivedMemory } from '@bootmem/firmware-map/derive';

const read: ReadResult = parseDescription('00100000-3fffffff : System RAM\n');
if (!read.ok) throw new Error(read.problems[0]!.message);
const description: MachineDescription = read.description;
const derived: DerivedMemory = deriveMemory(description);
if (derived.source !== 'iomem') throw new Error(`unexpected source ${derived.source}`);
