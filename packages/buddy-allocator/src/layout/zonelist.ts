/**
 * In which order a node's requests try the zones of all nodes.
 *
 * Nearest node first, and within a node from the highest zone down, so that scarce low zones are used
 * last. Equally distant nodes are told apart by, in this order: the smaller penalty (nodes before the
 * local one and nodes with CPUs cost 1 each), then the load, which grows whenever a node starts a new
 * distance class of somebody's list, by what the release says. So the first choice of equally distant
 * nodes goes round.
 *
 * Source: reference of the buddy allocator, section 7 (zonelists)
 */
import { BuddyError } from '../base/errors.js';
import type { ZoneName } from '@bootmem/memmap';

/** The machine as the zonelists see it. */
export interface NumaTopology {
  /** Online nodes, ascending. */
  readonly nids: readonly number[];
  /** Distance between two nodes, 10 to itself. */
  readonly distance: (from: number, to: number) => number;
  readonly hasMemory: (nid: number) => boolean;
  readonly hasCpus: (nid: number) => boolean;
}

const MAX_NUMNODES = 1024;

/** What loads of nodes grow by: a field of `KernelProfile`. */
interface LoadRule {
  readonly nodeLoad: 'nodes-left' | 'plus-nodes-left' | 'plus-one';
}

/**
 * Fallback order of every online node.
 * @param profile how loads grow; default: the newest kernel's way
 * @remarks O(n² log n) in the number of nodes: 0.2 s for 1024
 * @kernel build_zonelists, find_next_best_node
 */
export function nodeOrders(topology: NumaTopology, profile?: LoadRule): Map<number, number[]> {
  return new Map(eachNodeOrder(topology, profile));
}

/** As {@link nodeOrders}, node by node: each order depends on those before, none on those behind. */
export function* eachNodeOrder(
  topology: NumaTopology,
  profile: LoadRule = { nodeLoad: 'plus-one' },
): Generator<[number, number[]], void> {
  const { nids, distance, hasMemory, hasCpus } = topology;
  const load = new Map<number, number>(nids.map((nid) => [nid, 0]));
  const candidates = nids.filter(hasMemory);
  const withCpus = new Set(candidates.filter(hasCpus));
  // A load changes only when its node is on the list already: within one list the values stand still.
  const ranked = (local: number): number[] => {
    const values = candidates.map((nid) => {
      if (nid === local) return -1;
      const penalty = (nid < local ? 1 : 0) + (withCpus.has(nid) ? 1 : 0);
      return (distance(local, nid) + penalty) * MAX_NUMNODES + load.get(nid)!;
    });
    const reached = candidates.map((_, at) => at).filter((at) => values[at]! < Infinity);
    return reached.sort((a, b) => values[a]! - values[b]!).map((at) => candidates[at]!);
  };
  for (const local of nids) {
    const order: number[] = [];
    let previous = local;
    // A node without memory heads its own list in the releases that count what is left.
    let left = nids.length - (hasMemory(local) ? 0 : 1);
    for (const nid of ranked(local)) {
      if (distance(local, nid) !== distance(local, previous)) {
        const before = profile.nodeLoad === 'nodes-left' ? 0 : load.get(nid)!;
        load.set(nid, before + (profile.nodeLoad === 'plus-one' ? 1 : left));
      }
      left--;
      order.push(nid);
      previous = nid;
    }
    yield [local, order];
  }
}

/** One entry of a zonelist. */
export interface ZoneRef {
  readonly nid: number;
  readonly zone: ZoneName;
  readonly zoneIndex: number;
}

/** Both lists of one node. */
export interface ZoneLists {
  readonly nid: number;
  /** All nodes by distance. */
  readonly fallback: readonly ZoneRef[];
  /** The node itself only. */
  readonly thisNode: readonly ZoneRef[];
}

/**
 * The zonelists of every node.
 * @param zones   every zone with managed pages, in any order; Device zones are left out
 * @param profile how loads grow; default: the newest kernel's way
 * @throws ERR_ZONE_ARGUMENT when a zone is of a node that is not online
 */
export function zoneLists(
  topology: NumaTopology,
  zones: readonly (ZoneRef & { readonly managedPages: number })[],
  profile?: LoadRule,
): ZoneLists[] {
  const byNode = new Map<number, ZoneRef[]>(topology.nids.map((nid) => [nid, []]));
  for (const { nid, zone, zoneIndex, managedPages } of zones) {
    const own = byNode.get(nid);
    if (own === undefined) {
      throw new BuddyError('ERR_ZONE_ARGUMENT', 'zone of a node that is not online', { nid });
    }
    if (managedPages > 0 && zone !== 'Device') own.push({ nid, zone, zoneIndex });
  }
  for (const own of byNode.values()) own.sort((a, b) => b.zoneIndex - a.zoneIndex);
  const orders = nodeOrders(topology, profile);
  return topology.nids.map((nid) => ({
    nid,
    fallback: orders.get(nid)!.flatMap((node) => byNode.get(node)!),
    thisNode: topology.hasMemory(nid) ? byNode.get(nid)! : [],
  }));
}

/** Whether the machine is large enough for grouping pages by mobility. @kernel build_all_zonelists */
export function groupsByMobility(
  totalPages: number,
  migratetypes = 5,
  pageblockPages = 512,
): boolean {
  return totalPages >= pageblockPages * migratetypes;
}
