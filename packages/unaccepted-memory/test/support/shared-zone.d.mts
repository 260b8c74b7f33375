import type { AcceptGate, AcceptPort } from '@bootmem/unaccepted-memory';
import type { CondAcceptOptions } from '../../dist/zone/zone-port.js';

export const MAX_ORDER: number;

export interface SharedZoneHandle {
  readonly pages: number;
  readonly buffer?: SharedArrayBuffer;
  readonly zone?: number;
  readonly parkOrder?: number;
}

export class SharedZone implements AcceptPort {
  constructor(config: SharedZoneHandle);
  readonly pages: number;
  readonly buffer: SharedArrayBuffer;
  readonly holding: boolean;
  holds: number;
  heldMs: number;
  longestHoldMs: number;
  onTakeOffline: ((pfn: number, order: number) => void) | undefined;
  gate: AcceptGate | undefined;
  toHandle(): SharedZoneHandle;
  withBitmapLock(run: () => void): void;
  handOver(start: number, end: number, options?: { readonly offline?: boolean }): void;
  alloc(order: number, options?: CondAcceptOptions): number | undefined;
  free(pfn: number, order: number): void;
  parkUnaccepted(zone: number, pfn: number): void;
  takeUnaccepted(zone: number, named?: (pfn: number) => void): number | undefined;
  takeUnacceptedAt(pfn: number, named?: (pfn: number) => void): boolean;
  freeAccepted(pfn: number, order: number): boolean;
  unacceptedPages(zone: number): number;
  acceptState(
    zone: number,
    order: number,
  ): { readonly promo: number; readonly acceptedFree: number; readonly unusable: number };
  setPromo(pages: number): void;
  readonly freePages: number;
  readonly managedPages: number;
  freeCounts(): number[];
  listedPages(): number;
  usableBlocks(): Generator<{ pfn: number; order: number; used: boolean }>;
}
