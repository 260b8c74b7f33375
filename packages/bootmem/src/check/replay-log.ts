/**
 * Replays a log that is named by its path; see `replay-machine`.
 */
import { inTurns } from '@bootmem/firmware-map/derive';
import { loadMachine } from '../input/load-machine.js';
import type { MachineSource } from '../input/types.js';
import type { ReplayReport } from '../result.js';
import { replaySteps } from './replay-machine.js';

/**
 * Replays a log.
 * @param path    a log or the folder of a recorded boot
 * @param source  which boot of the log
 */
export async function replayLog(path: string, source: MachineSource = {}): Promise<ReplayReport> {
  return await inTurns(replaySteps(await loadMachine(path, source)), source.signal);
}
