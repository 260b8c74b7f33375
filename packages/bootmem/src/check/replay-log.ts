/**
 * Replays a log that is named by its path; see `replay-machine`.
 */
import { loadMachine } from '../input/load-machine.js';
import type { MachineSource } from '../input/types.js';
import type { ReplayReport } from '../result.js';
import { replayMachine } from './replay-machine.js';

/**
 * Replays a log.
 * @param path    a log or the folder of a recorded boot
 * @param source  which boot of the log
 */
export async function replayLog(path: string, source: MachineSource = {}): Promise<ReplayReport> {
  return replayMachine(await loadMachine(path, source));
}
