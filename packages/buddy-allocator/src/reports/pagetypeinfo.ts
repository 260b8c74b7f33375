/** The text of /proc/pagetypeinfo. Source: reference of the buddy allocator, section 10 */
import { MIGRATETYPE_NAMES } from '@bootmem/memmap';

import { zoneLabel } from './buddyinfo.js';
import type { PagetypeinfoZone } from './report-types.js';

/** Names that a kernel without contiguous-memory areas prints: it has no number for that type. */
export const NAMES_WITHOUT_CMA = MIGRATETYPE_NAMES.filter((name) => name !== 'CMA');

/** Lists longer than this are not counted to the end. */
const COUNT_LIMIT = 100000;

/** How the tables are laid out. */
export interface PagetypeinfoOptions {
  /** log2 of the pages of a pageblock. Default 9 */
  readonly pageblockOrder?: number;
  /** Highest order. Default 10 */
  readonly maxOrder?: number;
  /** Names by type. Default those without CMA */
  readonly migratetypes?: readonly string[];
}

function typeTable(
  title: string,
  names: readonly string[],
  rows: [string, readonly number[]][],
): string {
  const head = `${title.padEnd(23)}${names.map((name) => `${name.padStart(12)} `).join('')}\n`;
  const cells = (counts: readonly number[]): string =>
    counts.map((count) => `${String(count).padStart(12)} `).join('');
  return head + rows.map(([label, counts]) => `${label}${cells(counts)}\n`).join('');
}

function formatNode(
  zones: readonly PagetypeinfoZone[],
  options: Required<PagetypeinfoOptions>,
): string {
  const { pageblockOrder, maxOrder, migratetypes } = options;
  const orders = Array.from({ length: maxOrder + 1 }, (_, order) => order);
  let text = `Page block order: ${pageblockOrder}\n`;
  text += `Pages per block:  ${2 ** pageblockOrder}\n\n`;
  text += `${'Free pages count per migrate type at order'.padEnd(43)} `;
  text += `${orders.map((order) => `${String(order).padStart(6)} `).join('')}\n`;
  for (const { nid, zone, free } of zones) {
    migratetypes.forEach((name, type) => {
      const label = `Node ${String(nid).padStart(4)}, zone ${zone.padStart(8)}, type ${name.padStart(12)} `;
      const counts = orders.map((order) => {
        const blocks = free[type]?.[order] ?? 0;
        return blocks >= COUNT_LIMIT ? `>${COUNT_LIMIT} ` : `${String(blocks).padStart(6)} `;
      });
      text += `${label}${counts.join('')}\n`;
    });
  }
  text += '\n';
  text += typeTable(
    'Number of blocks type ',
    migratetypes,
    zones.map((zone) => [zoneLabel(zone.nid, zone.zone), zone.pageblocks]),
  );
  const mixed = zones.filter((zone) => zone.mixedPageblocks !== undefined);
  if (mixed.length > 0) {
    text += '\n';
    text += typeTable(
      'Number of mixed blocks ',
      migratetypes,
      mixed.map((zone) => [zoneLabel(zone.nid, zone.zone), zone.mixedPageblocks!]),
    );
  }
  return text;
}

/**
 * All tables, node by node; zones without memory are the caller's to leave out.
 * @param zones in node order
 * @kernel pagetypeinfo_show
 */
export function formatPagetypeinfo(
  zones: readonly PagetypeinfoZone[],
  options: PagetypeinfoOptions = {},
): string {
  const full = {
    pageblockOrder: options.pageblockOrder ?? 9,
    maxOrder: options.maxOrder ?? 10,
    migratetypes: options.migratetypes ?? NAMES_WITHOUT_CMA,
  };
  const nids = [...new Set(zones.map((zone) => zone.nid))];
  return nids
    .map((nid) =>
      formatNode(
        zones.filter((zone) => zone.nid === nid),
        full,
      ),
    )
    .join('');
}
