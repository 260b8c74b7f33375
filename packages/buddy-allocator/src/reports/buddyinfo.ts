/** The text of /proc/buddyinfo. Source: reference of the buddy allocator, section 10 */
import type { BuddyinfoZone } from './report-types.js';

/** `Node N, zone NAME ` as the tables begin their lines. */
export function zoneLabel(nid: number, zone: string): string {
  return `Node ${nid}, zone ${zone.padStart(8)} `;
}

/**
 * One line per zone; zones without memory are the caller's to leave out.
 * @kernel frag_show
 */
export function formatBuddyinfo(zones: readonly BuddyinfoZone[]): string {
  return zones
    .map(({ nid, zone, free }) => {
      const counts = free.map((blocks) => `${String(blocks).padStart(6)} `).join('');
      return `${zoneLabel(nid, zone)}${counts}\n`;
    })
    .join('');
}
