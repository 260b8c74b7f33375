/**
 * Device memory after boot: persistent ranges of the map get descriptors and a Device zone on their node,
 * asynchronously, while the rest of the machine is in use.
 */
import type { DeviceReport } from '../result.js';
import type { Assembly } from './assemble.js';

/** Placeholder for machines without persistent ranges; see the device part of page-init. */
export function initDevices(
  machine: Assembly,
  log: (line: string) => void,
): Promise<DeviceReport[]> {
  void machine;
  void log;
  return Promise.resolve([]);
}
