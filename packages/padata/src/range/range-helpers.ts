/**
 * Which threads are asked to help with a range job: of those that may, idle ones first; for a node-aware job from each
 * node in turn, starting where the job before stopped.
 */
import type { Crew } from '../crew/crew.js';
import type { Member } from '../threads/member.js';
import type { RangeJobOptions } from './range-types.js';

/** Chooses helpers for the jobs of one pool. */
export class RangeHelpers {
  readonly #crew: Crew;
  readonly #nodes: readonly number[];
  /** Node that the next node-aware job starts with; persists across jobs. */
  #nodeCursor = 0;

  /** @param nodes node of each worker thread; default 0 */
  constructor(crew: Crew, nodes: readonly number[]) {
    this.#crew = crew;
    this.#nodes = nodes;
  }

  /** Threads that may help: those that the job names; while none of them is there, all. */
  allowed({ workers }: Pick<RangeJobOptions, 'workers'>): Member[] {
    const all = this.#crew.memberList();
    if (workers === undefined) return all;
    const named = all.filter((member) => workers.includes(member.id));
    return named.length > 0 ? named : all;
  }

  /** Up to `count` of them: idle ones first; from each node in turn when asked. */
  choose(count: number, options: Pick<RangeJobOptions, 'workers' | 'nodeAware'>): Member[] {
    const all = this.allowed(options);
    if (options.nodeAware !== true) {
      if (all.length <= count) return all;
      all.sort((a, b) => rank(this.#crew, a) - rank(this.#crew, b));
      return all.slice(0, count);
    }
    const byNode = new Map<number, Member[]>();
    for (const member of all) {
      const node = this.#nodes[member.id - 1] ?? 0;
      const list = byNode.get(node) ?? [];
      list.push(member);
      byNode.set(node, list);
    }
    const nodes = [...byNode.keys()].sort((a, b) => a - b);
    const chosen: Member[] = [];
    for (let empty = 0; chosen.length < count && empty < nodes.length;) {
      const list = byNode.get(nodes[this.#nodeCursor % nodes.length]!)!;
      this.#nodeCursor += 1;
      const next = list.shift();
      if (next === undefined) empty += 1;
      else {
        empty = 0;
        chosen.push(next);
      }
    }
    return chosen;
  }
}

/** Idle threads first, then those that run, then those that still start. */
function rank(crew: Crew, member: Member): number {
  if (member.state !== 'ready') return 2000 + member.id;
  return (crew.isAsleep(member.id) ? 0 : 1000) + member.id;
}
