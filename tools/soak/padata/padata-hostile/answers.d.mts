/** A job to be done: `id` is its number in the run, `kind` names a function of `jobs.mjs`, `out` a form of results. */
export interface Order {
  readonly id: number;
  readonly kind: string;
  readonly out: string;
  /** How long it computes or waits, in milliseconds. */
  readonly ms: number;
  /** Which of the variants of its kind. */
  readonly variant: number;
}
export const resultForms: readonly string[];
export const smallForms: readonly string[];
export const inputForms: readonly string[];
/** Names of the forms of inputs that no message can carry. */
export const unsendableForms: readonly string[];
/** Is the value this order's own result? */
export function isOwn(order: Order, value: unknown): boolean;
/** An order on its way in, and what is handed over with it. */
export function wrap(
  form: string,
  order: Order,
): { readonly input: unknown; readonly transfer: readonly unknown[] | undefined };
