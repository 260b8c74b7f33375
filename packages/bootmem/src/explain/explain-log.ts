/** Explains a log that is named by its path; see `explain-machine`. */
import { inTurns } from '@bootmem/firmware-map/derive';
import type { ExplainReport } from '../explain-result.js';
import { loadMachine } from '../input/load-machine.js';
import type { MachineSource } from '../input/types.js';
import { explainSteps } from './explain-machine.js';
import type { ExplainOptions } from './explain-machine.js';

/**
 * Where the memory of a log's machine went.
 * @param path     a log or the folder of a recorded boot
 * @param options  which boot of the log, and how much memory is installed
 * @throws BootmemError when the log cannot be used
 */
export async function explainLog(
  path: string,
  options: MachineSource & ExplainOptions = {},
): Promise<ExplainReport> {
  return await inTurns(explainSteps(await loadMachine(path, options), options), options.signal);
}
