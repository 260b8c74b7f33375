/**
 * Device page maps: what is asked for, and the port to the machine underneath. Ranges are in pages; the
 * unit of mapping is a subsection.
 */
import type { PfnRange } from '@bootmem/memmap';
import type { PagemapType } from '../profiles.js';
import type { AltmapRequest } from './altmap.js';

/** What a driver provides; which of it is needed depends on the type. */
export interface PagemapOps {
  /** Brings a private page's content back to ordinary memory. */
  readonly migrateToRam?: (pfn: number) => void;
  /** A folio's last reference went away. */
  readonly folioFree?: (pfn: number, order: number) => void;
}

/** A mapping as a driver asks for it. */
export interface PagemapRequest {
  /** Device name, for the log. */
  readonly name: string;
  readonly type: PagemapType;
  /** One or more ranges, whole subsections. */
  readonly ranges: readonly PfnRange[];
  /** Node; default what the backend says is local to the first page, else 0. */
  readonly nid?: number;
  /** Keep the memmap in the device itself; allowed for a single range only. */
  readonly altmap?: AltmapRequest;
  /** Pages per compound page, as log2; default 0. */
  readonly vmemmapShift?: number;
  /** Identity of the driver; needed for private and coherent memory. */
  readonly owner?: unknown;
  readonly ops?: PagemapOps;
}

/** Protection that a type is mapped with. */
export type PageProtection = 'normal' | 'decrypted' | 'uncached';

/** The machine underneath. Every call may throw; what was done before is then undone in reverse order. */
export interface DeviceBackend {
  /** Node of the memory nearest to a page. */
  readonly localNid?: (pfn: number) => number;
  /** False when the range cannot be addressed. */
  readonly addressable?: (startPfn: number, endPfn: number) => boolean;
  readonly trackAttributes?: (span: PfnRange, protection: PageProtection) => void;
  readonly untrackAttributes?: (span: PfnRange) => void;
  readonly addShadow?: (span: PfnRange) => void;
  readonly removeShadow?: (span: PfnRange) => void;
  /** Creates the kernel mapping; not called for private memory. Called with the hotplug lock held. */
  readonly mapLinear?: (span: PfnRange, protection: PageProtection) => void;
  readonly unmapLinear?: (span: PfnRange) => void;
}

/** A line for the log. */
export interface LogLine {
  readonly level: 'info' | 'debug' | 'warn';
  readonly text: string;
}
