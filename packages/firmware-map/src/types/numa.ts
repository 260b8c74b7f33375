/** Everything said about nodes before zones exist. Units and conventions: description.ts. */
import type { ByteRange, Located, LocatedRange } from './common.js';

/** A memory affinity entry of the SRAT. */
export interface SratEntry extends LocatedRange {
  readonly nid: number;
  /** Proximity domain, where printed. */
  readonly pxm?: number;
  readonly hotplug: boolean;
  readonly nonVolatile: boolean;
}

/** `NUMA: Node 1 A + B -> C`. */
export interface NumaMerge extends Located {
  readonly nid: number;
  readonly parts: readonly ByteRange[];
  readonly result: ByteRange;
}

/** A node's own data, where it lies. */
export interface NodeData extends LocatedRange {
  readonly nid: number;
  /** The node whose memory holds it, when printed and different. */
  readonly onNode?: number;
}

/** A processor's node, from SRAT lines. */
export interface CpuAffinity extends Located {
  readonly nid: number;
  readonly pxm: number;
  /** APIC id, MPIDR or hart id. */
  readonly id: number;
}

/** Everything said about nodes before zones exist. */
export interface NumaDescription {
  readonly srat: readonly SratEntry[];
  readonly cpus: readonly CpuAffinity[];
  readonly merges: readonly NumaMerge[];
  readonly nodeData: readonly NodeData[];
  /** `Faking node 1 at [mem …] (1024MB)`: nodes of `numa=fake`. */
  readonly faked: readonly (LocatedRange & { readonly nid: number })[];
  /** `Faking a node at [mem …]`: the single node of a machine without NUMA. */
  readonly single?: LocatedRange;
  /** Node blocks that other architectures print (`memory node 1: …`), or a synthetic description gives. */
  readonly blocks: readonly (LocatedRange & { readonly nid: number })[];
  /** Distances, row = from, column = to; from a SLIT, sysfs or a synthetic description. */
  readonly distances?: readonly (readonly number[])[];
  /** The firmware has a distance table (SLIT); its figures are not printed. */
  readonly slit?: boolean;
  /** Rows of the distance table that the kernel set up. */
  readonly distanceCount?: number;
  /** The kernel's reason for not using the NUMA tables. */
  readonly rejected?: { readonly reason: string } & Located;
}
