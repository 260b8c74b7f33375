/**
 * Can a job function see its second argument, the context? Whoever sees it may keep it, so each job has a context of its own then. A
 * function that cannot needs none: it is told by its text, and what the text leaves open counts as seen.
 */
import type { AnyFunction } from '../base/function-ref.js';

/** `n => …`, `(n) => …`, `({ a, b }) => …`, `() => …`, `function name(n) …`, each of them async or not: one parameter at most, without a default. */
const ONE_PARAMETER =
  /^(?:async\s+)?(?:[\w$]+\s*=>|(?:function\b\s*\*?\s*[\w$]*\s*)?\(\s*(?:[\w$]*|\{[\w$\s,:.]*\}|\[[\w$\s,.]*\])\s*\))/;
/** Other ways to an argument; a name may be written with an escape, and what is native or bound shows no text. */
const OTHER_WAYS = /\b(?:arguments|eval)\b|\\u|\[native code\]/;

/** @returns false = it cannot, whatever it does */
export function seesContext(fn: AnyFunction): boolean {
  if (fn.length > 1) return true;
  const text = Function.prototype.toString.call(fn);
  return !ONE_PARAMETER.test(text) || OTHER_WAYS.test(text);
}
