/** Everything that a command line asks of early memory, in the kernel's order. */
import { parseSize, splitCommandLine } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { asksOf } from '../releases.js';
import { cmaWishes } from './cma.js';
import { crashkernelWish } from './crashkernel.js';
import { hugePageWishes } from './huge-pages.js';
import { takeFor } from './wishes.js';
import type { NoModel, Wish, Wishes } from './wishes.js';

/** What is asked for, and what there is no model for. */
export interface Asked {
  readonly wishes: Wishes;
  readonly unmodelled: readonly NoModel[];
}

/**
 * Reads the options.
 * @param description  the other boot's inputs
 * @param today        the log's
 */
export function wishesOf(description: MachineDescription, today: MachineDescription): Asked {
  const found = [
    ...cmaWishes(description, today),
    crashkernelWish(description),
    ...hugePageWishes(description),
    ...reserveMemWishes(description),
  ].filter((wish) => wish !== undefined);
  return {
    wishes: found.filter((wish): wish is Wish => 'reserve' in wish),
    unmodelled: found.filter((wish): wish is NoModel => 'why' in wish),
  };
}

/** Bytes of a cache line: the least alignment. */
const CACHE_LINE = 64;
/** Named reservations that a kernel keeps. */
const MOST = 8;

const noModel = (why: string): NoModel => ({ id: 'reserve_mem', label: 'reserve_mem', why });

/** `reserve_mem=SIZE:ALIGN:NAME`. @kernel reserve_mem */
function reserveMemWishes({ commandLine, kernel }: MachineDescription): (Wish | NoModel)[] {
  const words = splitCommandLine(commandLine?.text ?? '');
  const values = words.flatMap(({ name, value = '' }) => (name === 'reserve_mem' ? [value] : []));
  if (values.length > 0 && !asksOf(kernel?.release).namesReservations) {
    return [noModel('reserve_mem= is not known to kernels before 6.12')];
  }
  return values.map((value, index): Wish | NoModel => {
    const match = /^(\w+):(\w+):([^:\s]{1,15})$/.exec(value);
    const [size, align] = [match?.[1], match?.[2]].map((part) =>
      part === undefined ? undefined : parseSize(part),
    );
    if (
      match === null ||
      size === undefined ||
      size === 0 ||
      align === undefined ||
      index >= MOST
    ) {
      return noModel(`reserve_mem=${value} is refused: SIZE:ALIGN:NAME, ${MOST} of them at most`);
    }
    return {
      stage: 'command-line',
      reserve: (context) => {
        const own = { size, align: Math.max(align, CACHE_LINE), caller: 'reserve_mem' };
        const range = takeFor(context, own);
        return [
          {
            id: `reserve_mem ${match[3]!}`,
            kind: 'reserve-mem',
            label: `reserve_mem ${match[3]!}`,
            asked: size,
            ranges: range === undefined ? [] : [range],
            ...(range === undefined ? { failed: 'no free stretch is large enough' } : {}),
          },
        ];
      },
    };
  });
}
