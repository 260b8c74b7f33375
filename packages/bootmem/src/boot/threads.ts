/**
 * The threads of a boot: started, placed on nodes of the host, and with the code that they will run, before the clock
 * starts; as a kernel has its other processors up before it hands work to them.
 */
import { createWorkPool } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';
import { BootmemError, messageOf } from '../errors.js';
import type { WorkerFunctions } from '../worker/functions.js';
import { CPU_LIST, hostNodes } from './host-nodes.js';
import type { HostNode } from './host-nodes.js';

/** Nodes whose jobs may each have all threads at the same time. */
const CONCURRENT_NODES = 32;
/** Most works of a pool. */
const MAX_WORKS = 1024;

/** A thread that helps with a boot, for whoever ties it to processors. */
export interface HelperThread {
  /** 1 … threads - 1; one that takes a dead one's place has its number. */
  readonly helper: number;
  /** What the system calls the thread (Linux); 0 where it does not tell. */
  readonly tid: number;
  /** Node of this host that it is meant for. */
  readonly node: number;
  /** Processors of that node, as Linux lists them: `0-3,8`. */
  readonly cpus: string;
}

/** Which threads work for which nodes. */
export interface NodeBinding {
  /** Nodes of this host that threads are spread over; default: what Linux tells, else one. */
  readonly nodes?: readonly { readonly nid: number; readonly cpus: string }[];
  /**
   * Ties a thread to its processors, for example by `taskset`. Called for each helper before the boot's clock starts, and
   * for one that takes the place of another; a failure ends the boot, later ones are not heard of. Without it threads are
   * only told apart: each works for its nodes, wherever the system runs it.
   */
  readonly bind?: (thread: HelperThread) => void | Promise<void>;
}

/** Where helpers belong. */
export interface Placement {
  /** Nodes of the host with the helpers that were spread over them. */
  readonly nodes: readonly (HostNode & { readonly helpers: readonly number[] })[];
  /** Index into `nodes` by helper; the first is helper 1. */
  readonly byHelper: readonly number[];
  readonly bound: boolean;
}

/** Threads that run. */
export interface BootThreads {
  readonly pool: WorkPool;
  /** Absent: threads are not told apart. */
  readonly placement?: Placement;
}

/** How threads are made. */
export interface ThreadOptions {
  /** That initialise, the caller included. */
  readonly threads: number;
  /** Makes a thread, where the program's own bundle does that. */
  readonly worker?: (() => unknown) | undefined;
  readonly binding?: NodeBinding | undefined;
}

/** @throws BootmemError ERR_BOOTMEM_USAGE for a binding that is none */
export function checkBinding(binding: NodeBinding | undefined): void {
  if (binding === undefined) return;
  const isNode = ({ nid, cpus }: HostNode): boolean =>
    Number.isInteger(nid) && nid >= 0 && CPU_LIST.test(cpus);
  const { nodes, bind } = binding;
  const fits =
    (nodes === undefined || (nodes.length > 0 && nodes.every(isNode))) &&
    (bind === undefined || typeof bind === 'function');
  if (fits) return;
  throw new BootmemError(
    'ERR_BOOTMEM_USAGE',
    'binding has nodes, each with nid and cpus such as 0-3,8, and a function bind',
    { nodes },
  );
}

/** Helpers spread over the host's nodes in turn. */
function place(helpers: number, { nodes, bind }: NodeBinding): Placement {
  const found = nodes ?? hostNodes();
  const all = found.length > 0 ? found : [{ nid: 0, cpus: '' }];
  const byHelper = Array.from({ length: helpers }, (_, i) => i % all.length);
  return {
    nodes: all.map((node, index) => ({
      ...node,
      helpers: byHelper.flatMap((at, i) => (at === index ? [i + 1] : [])),
    })),
    byHelper,
    bound: bind !== undefined,
  };
}

/**
 * Starts the threads of a boot, ties them where that is wanted, and loads the code they will run.
 * @param functions  what they run
 * @param options    how many, and where
 * @throws BootmemError ERR_BOOTMEM_BIND when a thread could not be tied to its processors; no thread is left
 */
export async function startThreads(
  functions: WorkerFunctions,
  { threads, worker, binding }: ThreadOptions,
): Promise<BootThreads> {
  if (threads <= 1) {
    const pool = createWorkPool({ threads: 0, backend: 'inline' });
    await pool.load(functions.chunk);
    return { pool };
  }
  const helpers = threads - 1;
  const placement = binding && place(helpers, binding);
  const pool = createWorkPool({
    threads: helpers,
    // All nodes run at once, and each may have every thread.
    works: Math.min(helpers * CONCURRENT_NODES, MAX_WORKS),
    name: 'bootmem',
    ...(placement === undefined ? {} : { nodes: placement.byHelper }),
    ...(worker === undefined ? {} : { worker }),
  });
  try {
    const bound = placement && bindAll(pool, placement, binding.bind);
    await pool.ready();
    await bound?.();
    await pool.load(functions.chunk);
  } catch (error) {
    await pool.close();
    throw error;
  }
  return { pool, ...(placement === undefined ? {} : { placement }) };
}

/** Listens for threads; the function that is returned ties those that are there, and from then on whoever comes. */
function bindAll(
  pool: WorkPool,
  placement: Placement,
  bind: NodeBinding['bind'],
): () => Promise<void> {
  const tids = new Map<number, number>();
  let started = false;
  const tie = async (helper: number, tid: number): Promise<void> => {
    const { nid, cpus } = placement.nodes[placement.byHelper[helper - 1]!]!;
    try {
      await bind?.({ helper, tid, node: nid, cpus });
    } catch (cause) {
      throw new BootmemError(
        'ERR_BOOTMEM_BIND',
        `helper ${helper}, thread ${tid}, could not be tied to processors ${cpus} of node ${nid}: ${messageOf(cause)}`,
        { helper, tid, node: nid, cpus },
        { cause },
      );
    }
  };
  pool.on('worker-ready', ({ worker, tid }) => {
    if (started) void tie(worker, tid).catch(() => undefined);
    else tids.set(worker, tid);
  });
  return async () => {
    started = true;
    const settled = await Promise.allSettled([...tids].map(([helper, tid]) => tie(helper, tid)));
    for (const one of settled) if (one.status === 'rejected') throw one.reason;
  };
}
