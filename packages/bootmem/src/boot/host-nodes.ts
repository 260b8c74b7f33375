/**
 * Nodes of the machine this runs on, and which of them work for which node of the machine that is brought up.
 *
 *     /sys/devices/system/node/node<n>/cpulist   processors of a node: 0-3,8
 *     /proc/self/status, Cpus_allowed_list       those that this process may use
 *
 * As in memmap, Node's modules come from `process.getBuiltinModule`: browsers have none, and no bundler sees an import.
 */

/** A node of the machine this runs on. */
export interface HostNode {
  readonly nid: number;
  /** Its processors, as Linux lists them: `0-3,8`. */
  readonly cpus: string;
}

/** What is used of `node:fs`. */
interface FileSystem {
  readFileSync(path: string, encoding: 'utf8'): string;
  readdirSync(path: string): string[];
}

/** What is used of `process`. */
interface Host {
  getBuiltinModule?(name: string): unknown;
}

/** A list of processors: numbers and ranges. */
export const CPU_LIST = /^\d+(-\d+)?(,\d+(-\d+)?)*$/;

/** Highest number of a processor that is believed. */
const MAX_CPU = 65535;

/** Numbers of a list; those that are too large to be processors are left out. */
function numbersOf(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    const end = Math.min(last!, MAX_CPU);
    return Array.from({ length: Math.max(0, end - first! + 1) }, (_, i) => first! + i);
  });
}

/** The text of a list. @param cpus ascending */
function listOf(cpus: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const cpu of cpus) {
    const last = parts.at(-1);
    if (last?.[1] === cpu - 1) last[1] = cpu;
    else parts.push([cpu, cpu]);
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

/** Nodes that have processors which this process may use. */
export function usableNodes(nodes: readonly HostNode[], allowed: string | undefined): HostNode[] {
  if (allowed === undefined || !CPU_LIST.test(allowed)) return [...nodes];
  const mine = new Set(numbersOf(allowed));
  return nodes.flatMap(({ nid, cpus }) => {
    const own = numbersOf(cpus).filter((cpu) => mine.has(cpu));
    return own.length === 0 ? [] : [{ nid, cpus: listOf(own) }];
  });
}

/**
 * Nodes of this host.
 * @returns ascending; empty where the system does not tell
 */
export function hostNodes(): HostNode[] {
  const host = (globalThis as { process?: Host }).process;
  const fs = host?.getBuiltinModule?.('node:fs') as FileSystem | undefined;
  if (fs === undefined) return [];
  const root = '/sys/devices/system/node';
  try {
    const nodes = fs
      .readdirSync(root)
      .flatMap((name) => (/^node\d+$/.test(name) ? [Number(name.slice(4))] : []))
      .sort((a, b) => a - b)
      .map((nid) => ({ nid, cpus: fs.readFileSync(`${root}/node${nid}/cpulist`, 'utf8').trim() }))
      .filter(({ cpus }) => CPU_LIST.test(cpus));
    const status = fs.readFileSync('/proc/self/status', 'utf8');
    return usableNodes(nodes, /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1]);
  } catch {
    return [];
  }
}

/**
 * Which helpers work for which node: those of one of the host's nodes, when it has fewer; of several, when it has more.
 * @param helperNodes  index of the host's node by helper, the first is helper 1
 * @param hosts        nodes of the host
 * @param count        nodes of the machine that is brought up
 * @returns ids of helpers by node of that machine; a node without any is everybody's
 */
export function helpersByNode(
  helperNodes: readonly number[],
  hosts: number,
  count: number,
): number[][] {
  const groups = Math.min(hosts, count);
  return Array.from({ length: count }, (_, index) =>
    helperNodes.flatMap((node, i) => (node % groups === index % groups ? [i + 1] : [])),
  );
}
