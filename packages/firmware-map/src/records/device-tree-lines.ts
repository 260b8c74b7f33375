/**
 * What the device tree keeps for someone: `/reserved-memory` as it is printed when it is set up.
 *
 *   OF: reserved mem: 0x0000000005000000..0x00000000052fffff (3072 KiB) nomap non-reusable secmon@5000000
 *
 * `nomap`: memory that the kernel knows and never maps. `reusable`: an area that drivers share with page users (CMA).
 */
import { onMatch, type Recogniser } from './recogniser.js';

const reservedMemory = onMatch(
  'OF: reserved mem: 0x',
  /OF: reserved mem: 0x([0-9a-f]+)\.\.0x([0-9a-f]+) \(\d+ KiB\) (no)?map (non-)?reusable (\S{1,100})/i,
  (match, draft, line) => {
    const range = draft.range(match[1]!, match[2]!, line);
    if (range === undefined) return;
    const entry = {
      ...range,
      name: match[5]!,
      noMap: match[3] !== undefined,
      reusable: match[4] === undefined,
      line,
    };
    draft.keep(draft.deviceTree, entry, line);
  },
  // Wrapped between words.
  /OF: reserved mem: 0x[0-9a-f]+(?:\.\.0x[0-9a-f]+)?(?: \((?:\d+(?: KiB\)(?: (?:no)?map(?: (?:non-)?reusable)?)?)?)?)?$/i,
);

/** Recognisers of device tree lines. */
export const DEVICE_TREE_RECOGNISERS: readonly Recogniser[] = [reservedMemory];
