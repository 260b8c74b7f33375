/**
 * Compares a log that is named by its path; see `check-machine`.
 */
import { inTurns } from '@bootmem/firmware-map/derive';
import { BootmemError, INPUT_ERROR_CODES, messageOf } from '../errors.js';
import { loadMachine } from '../input/load-machine.js';
import type { MachineSource } from '../input/types.js';
import type { CheckReport } from '../result.js';
import { checkSteps, rejected } from './check-machine.js';

/**
 * Compares a log.
 * @param path    a log or the folder of a recorded boot
 * @param source  which boot of the log
 * @returns a report; an unusable log is a report with `rejected`, not an error
 */
export async function checkLog(path: string, source: MachineSource = {}): Promise<CheckReport> {
  try {
    return await inTurns(checkSteps(await loadMachine(path, source)), source.signal);
  } catch (error) {
    if (error instanceof BootmemError && INPUT_ERROR_CODES.includes(error.code)) {
      return rejected(path, messageOf(error));
    }
    throw error;
  }
}
