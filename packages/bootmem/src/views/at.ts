/** What lies at an address: node, zone, section, pageblock, entry of the map, reservation. */
import type { Steps } from '@bootmem/firmware-map/derive';
import { explainSteps } from '../explain/explain-machine.js';
import { firmwareParts } from '../explain/firmware/map.js';
import type { LoadedMachine } from '../input/types.js';
import { planLayoutSteps } from '../plan/layout-plan.js';
import type { AddressView } from '../view-result.js';

/** Bytes of a pageblock where nothing else is known: a huge page. */
const PAGEBLOCK_BYTES = 2 ** 21;

/**
 * @param input    a loaded machine
 * @param address  bytes
 * @throws BootmemError ERR_BOOTMEM_NO_MEMORY_MAP when no memory follows from the description
 */
export function* addressView(input: LoadedMachine, address: number): Steps<AddressView> {
  const plan = yield* planLayoutSteps(input.description);
  yield;
  const pfn = Math.floor(address / plan.pageSize);
  const covers = ({ start, end }: { start: number; end: number }): boolean =>
    start <= address && address < end;
  const nid = plan.memory.find(({ startPfn, endPfn }) => startPfn <= pfn && pfn < endPfn)?.nid;
  const zone = plan.layout.nodes
    .find((node) => node.nid === nid)
    ?.zones.find(({ startPfn, endPfn }) => startPfn <= pfn && pfn < endPfn)?.zone;
  const part = firmwareParts(input.description).find(covers);
  const rows = (yield* explainSteps(input)).levels.find(({ id }) => id === 'reserved')?.rows ?? [];
  const row = rows.find(({ ranges }) => ranges?.some(covers) === true);
  const range = row?.ranges?.find(covers);
  const { pagesPerBlock } = input.description.proc.pagetypeinfo ?? {};
  const blockPages = pagesPerBlock ?? PAGEBLOCK_BYTES / plan.pageSize;
  return {
    schema: 'bootmem/at',
    version: 1,
    source: input.source,
    address,
    pfn,
    section: Math.floor(pfn / plan.pagesPerSection),
    pageblock: Math.floor(pfn / blockPages),
    ...(nid === undefined ? {} : { nid }),
    ...(zone === undefined ? {} : { zone }),
    ...(part === undefined
      ? {}
      : {
          map: {
            start: part.owner.start,
            end: part.owner.end,
            kind: part.owner.text,
            evidence: {
              ...(part.owner.line === 0 ? {} : { line: part.owner.line }),
              text: input.lines?.get(part.owner.line)?.trim() ?? part.owner.text,
            },
          },
        }),
    ...(row === undefined || range === undefined
      ? {}
      : { reserved: { ...range, label: row.label, evidence: row.evidence } }),
  };
}
