/** Tables that processors find addresses by, where a rule or a line gives their size. */
import type { RowInput } from '../base/level.js';
import type { Subject } from '../base/subject.js';
import { reservesOf } from './releases.js';

const MIB = 2 ** 20;

/**
 * arm64 maps memory page by page since 5.0, unless `rodata=` says otherwise: an entry of 8 bytes for each page, in
 * tables of whole pages.
 */
export function pageTables({ plan, quote }: Subject): RowInput[] {
  const { architecture, commandLine } = plan.description;
  const isPaged =
    reservesOf(plan.kernel.release).arm64MapsPages &&
    !/(?:^|\s)rodata=(?:on|off)\b/.test(commandLine?.text ?? '');
  if (architecture !== 'arm64' || !isPaged) return [];
  const entries = plan.pageSize / 8;
  const pages = plan.layout.nodes.reduce((sum, node) => sum + node.presentPages, 0);
  const tables = Math.ceil(pages / entries);
  const text = `arm64 maps page by page: ${pages} pages in tables of ${entries} entries, and tables of those`;
  return [
    {
      kind: 'page-tables',
      bytes: (tables + Math.ceil(tables / entries)) * plan.pageSize,
      how: 'computed',
      evidence: [quote.formula(text)],
    },
  ];
}

/** Bytes of the table that a POWER processor finds trees of addresses by: 16 for each of 2^20 processes. */
const PROCESS_TABLE = 16 * MIB;

/** POWER translates addresses by a tree for each process, or by one table that a hypervisor may keep for itself. */
export function powerTables({ plan, quote }: Subject): RowInput[] {
  const { uses = [] } = plan.description.printed;
  const find = (what: string): (typeof uses)[number] | undefined =>
    uses.find((one) => one.what === what);
  const radix = find('radix-mmu');
  if (radix !== undefined) {
    const evidence = [
      quote.at(radix.line, 'mmu_features: radix'),
      quote.formula('16 bytes for each of 2^20 processes'),
    ];
    return [{ kind: 'process-table', bytes: PROCESS_TABLE, how: 'computed', evidence }];
  }
  const table = find('hash-page-table');
  if (table?.bytes === undefined || find('hypervisor-page-table') !== undefined) return [];
  const evidence = [
    quote.at(table.line, `htab_hash_mask of ${table.bytes} bytes`),
    quote.formula('128 bytes for each group of entries'),
  ];
  return [{ kind: 'hash-page-table', bytes: table.bytes, how: 'computed', evidence }];
}
