/** What jobs of each kind may come to, when nothing from outside ends them. */
import { isOwn } from './answers.mjs';
import type { Order } from './answers.mjs';

/** The module of all job functions, and the type of `act`, which does them. */
export const jobsModule = new URL('./jobs.mjs', import.meta.url);
export type Act = (input: unknown) => unknown;

/** How a job ended. */
export type Outcome =
  | { readonly failed: false; readonly value: unknown }
  | { readonly failed: true; readonly error: unknown };

/** A kind of job, see `jobs.mjs`. */
export interface Kind {
  /** Ends its thread, or keeps it: only in rounds that are not calm. */
  readonly deadly?: true;
  /** Its promise may be pending when another job ends its thread. */
  readonly pends?: true;
  /** It may never end by itself: it is run with a signal. */
  readonly endless?: true;
  /** Completed from elsewhere: its result is a number. */
  readonly small?: true;
  /** Needs `resourceLimits`. */
  readonly memory?: true;
  comesTo(order: Order, outcome: Outcome): boolean;
}

/** The code of a coded error. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}
/** What padata says of the error. */
export function detailsOf(error: unknown): Readonly<Record<string, unknown>> {
  return (error as { details?: Record<string, unknown> } | undefined)?.details ?? {};
}

const own = (order: Order, outcome: Outcome): boolean =>
  !outcome.failed && isOwn(order, outcome.value);
const fails =
  (...codes: string[]) =>
  (_order: Order, outcome: Outcome): boolean =>
    outcome.failed && codes.includes(`${codeOf(outcome.error)}`);
const never = (): boolean => false;
const died = fails('ERR_PADATA_WORKER_DIED');
const uncloneable = fails('ERR_PADATA_CLONE', 'ERR_PADATA_JOB_FAILED');

/** A failure in the function's own words, with what its error had of its own. */
function thrown(order: Order, outcome: Outcome): boolean {
  if (!outcome.failed || codeOf(outcome.error) !== 'ERR_PADATA_JOB_FAILED') return false;
  const { message, cause } = outcome.error as Error;
  const words = `failure of ${order.id}`;
  switch (order.variant % 10) {
    case 0:
      return message === words && cause instanceof RangeError;
    case 1: {
      const { id, code, cause: why } = cause as Error & { id?: number; code?: string };
      return message === words && id === order.id && code === 'E_OWN' && why instanceof TypeError;
    }
    case 2:
      return cause === words;
    default:
      return true;
  }
}

/** All kinds by name. */
export const KINDS: Readonly<Record<string, Kind>> = {
  ok: { comesTo: own },
  cpu: { comesTo: own },
  waits: { pends: true, comesTo: own },
  early: { pends: true, comesTo: own },
  parts: { pends: true, comesTo: own },
  thenable: { pends: true, comesTo: own },
  broken: { pends: true, comesTo: fails('ERR_PADATA_JOB_FAILED') },
  unsendable: { comesTo: fails('ERR_PADATA_CLONE') },
  uncloneable: { comesTo: uncloneable },
  uncloneableLater: { pends: true, comesTo: uncloneable },
  throws: { comesTo: thrown },
  rejects: { pends: true, comesTo: thrown },
  never: { endless: true, pends: true, deadly: true, comesTo: never },
  scribbles: { endless: true, pends: true, deadly: true, comesTo: never },
  politeAsync: { endless: true, pends: true, comesTo: never },
  defers: { endless: true, pends: true, small: true, comesTo: own },
  defersNever: { endless: true, small: true, comesTo: never },
  prints: { comesTo: own },
  printsLater: { pends: true, comesTo: own },
  nested: { pends: true, comesTo: own },
  loads: { comesTo: own },
  exit: {
    deadly: true,
    comesTo: (order, outcome) =>
      died(order, outcome) &&
      detailsOf((outcome as { error: unknown }).error)['exitCode'] === order.variant % 3,
  },
  exitLater: { deadly: true, pends: true, comesTo: died },
  uncaught: { deadly: true, pends: true, comesTo: died },
  unhandled: { deadly: true, comesTo: own },
  oom: { deadly: true, memory: true, comesTo: died },
  loop: { deadly: true, endless: true, comesTo: never },
  polite: { deadly: true, endless: true, comesTo: never },
};
