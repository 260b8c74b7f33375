/** The part of the sequence that maps memory: replaced as a whole, once the log has shown what its build does. */
import type { MemblockOperation } from '@bootmem/firmware-map/types';
import type { ByteSpan } from '../../explain-result.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { KERNEL_BASE } from '../../plan/reservations.js';
import type { Request } from '../../plan/search.js';
import { directMapTables } from './direct-map.js';
import type { DirectMapTraits } from './direct-map.js';
import { imageOf } from '../image.js';
import type { RerunInput, Step } from './types.js';

const OWN = /^(?:init_mem_mapping|memory_map_top_down|alloc_low_pages)/;
const ENTRY = 2 ** 21;

/** Tables in the image's buffer: by levels of page tables and whether the direct map may lie anywhere. */
const BUFFERS = [16, 12, 8, 6] as const;

/**
 * The steps, at the operation where they begin.
 * @returns `undefined` elsewhere; `last` is the last operation that they replace
 */
export function directMapSteps(
  input: RerunInput,
  operations: readonly MemblockOperation[],
  index: number,
): { readonly steps: Step[]; readonly last: number } | undefined {
  const first = operations[index];
  if (first?.op !== 'alloc' || !OWN.test(first.caller)) return undefined;
  let last = index;
  for (let at = index + 1; at < operations.length; at++) {
    const one = operations[at]!;
    if ('caller' in one && OWN.test(one.caller)) last = at;
    else if (one.op !== 'reserve' || operations[at - 1]?.op !== 'alloc') break;
    else last = at;
  }
  const own = operations.slice(index, last + 1);
  const probe = operations[index + 1];
  const printed = own.filter((one): one is Request => one.op === 'alloc' && one.size === 4096);
  const traits = probe?.op === 'reserve' ? traitsOf(input.today, printed, probe.end) : undefined;
  if (traits === undefined || probe?.op !== 'reserve') {
    const steps: Step[] = own.map((operation) => ({ kind: 'fixed', operation }));
    const why = 'the page tables of the direct map do not follow from the log';
    return { last, steps: input.differs.map ? [...steps, { kind: 'doubt', why }] : again(own) };
  }
  const pattern = printed[0] ?? { ...first, size: 4096, align: 4096, caller: 'alloc_low_pages' };
  const step: Step = {
    kind: 'generate',
    run: ({ plan, memblock, take, giveBack }) => {
      const { endOfDram } = memblock;
      const buffer = bufferOf(input.today) + (input.move?.by ?? 0);
      if (plan.description.options.movableNode) {
        const upwards = { memory: memoryOf(plan), top: buffer + 1, buffer, traits };
        for (const { from, to } of directMapTables({ ...upwards, isUpwards: true })) {
          take({ ...pattern, from, maxAddr: to });
        }
        return;
      }
      const room = memblock.findInRange(ENTRY, { align: ENTRY, start: 2 ** 20, end: endOfDram });
      if (room === undefined) return;
      // The kernel looks for the highest free entry by taking it.
      take({ ...first, maxAddr: endOfDram });
      giveBack({ start: room, end: room + ENTRY }, first);
      const memory = memoryOf(plan);
      const tables = directMapTables({
        memory,
        top: room + ENTRY,
        buffer,
        traits,
      });
      for (const { from, to } of tables) take({ ...pattern, from, maxAddr: to });
    },
  };
  return { last, steps: [step] };
}

/** The same requests once more. */
function again(own: readonly MemblockOperation[]): Step[] {
  return own.flatMap((one, index): Step[] => {
    const before = own[index - 1];
    if (one.op === 'free') return [{ kind: 'free', operation: one }];
    if (one.op === 'reserve' && before?.op === 'alloc') return [];
    const answer = own[index + 1];
    if (one.op !== 'alloc' || answer?.op !== 'reserve') return [{ kind: 'fixed', operation: one }];
    return [{ kind: 'request', request: one, was: answer }];
  });
}

/** What today's tables tell of the build: the traits that give exactly them. */
function traitsOf(
  plan: LayoutPlan,
  printed: readonly Request[],
  top: number,
): DirectMapTraits | undefined {
  const memory = memoryOf(plan);
  const wanted = printed.map(({ from, maxAddr }) => `${from}-${maxAddr}`).join();
  for (const gibPages of [false, true]) {
    for (const bufferPages of BUFFERS) {
      const traits = { bufferPages, gibPages };
      const tables = directMapTables({ memory, top, buffer: bufferOf(plan), traits });
      if (tables.map(({ from, to }) => `${from}-${to}`).join() === wanted) return traits;
    }
  }
  return undefined;
}

/** The buffer lies behind the rest of the image. */
function bufferOf(plan: LayoutPlan): number {
  const image = imageOf(plan);
  return image === undefined ? KERNEL_BASE : image.end - 1;
}

function memoryOf({ derived }: LayoutPlan): ByteSpan[] {
  const ranges: { start: number; end: number }[] = [];
  for (const { start, end } of derived.memory) {
    const last = ranges.at(-1);
    if (last?.end === start) last.end = end;
    else ranges.push({ start, end });
  }
  return ranges;
}
