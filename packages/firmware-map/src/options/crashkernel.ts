/**
 * `crashkernel=`: how much memory is kept for a second kernel.
 *
 *   256M            256M@16M            256M,high   64M,low   32M,cma
 *   512M-2G:64M,2G-:128M[@offset]       by the amount of memory of the machine
 */
import { leadingSize } from '../base/numbers.js';
import type { CrashkernelOption } from '../types/all.js';

/**
 * One value of `crashkernel=`.
 * @returns `undefined` when the kernel would refuse it
 */
export function parseCrashkernel(text: string): CrashkernelOption | undefined {
  // Distribution kernels decide for themselves; how much, they print later.
  if (text === 'auto') return { text };
  if (text.includes(':')) return parseSteps(text);
  const size = leadingSize(text);
  if (size === undefined) return undefined;
  const rest = text.slice(size.length);
  if (rest === '') return { text, size: size.value };
  const where = /^,(high|low|cma)$/.exec(rest);
  if (where !== null) {
    return { text, size: size.value, where: where[1] as 'high' | 'low' | 'cma' };
  }
  if (!rest.startsWith('@')) return undefined;
  // An offset that is no number is none, and what stands behind one is not looked at.
  const offset = leadingSize(rest.slice(1))?.value ?? 0;
  return { text, size: size.value, ...(offset === 0 ? {} : { offset }) };
}

function parseSteps(text: string): CrashkernelOption | undefined {
  const at = text.indexOf('@');
  const offset = at < 0 ? undefined : parseOffset(text.slice(at));
  if (at >= 0 && offset === undefined) return undefined;
  const steps: { start: number; end?: number; size: number }[] = [];
  for (const part of (at < 0 ? text : text.slice(0, at)).split(',')) {
    const step = parseStep(part);
    if (step === undefined) return undefined;
    steps.push(step);
  }
  return offset === undefined ? { text, steps } : { text, steps, offset };
}

function parseStep(text: string): { start: number; end?: number; size: number } | undefined {
  const match = /^([^-:]+)-([^-:]*):([^-:]+)$/.exec(text);
  if (match === null) return undefined;
  const start = wholeSize(match[1]!);
  const end = match[2] === '' ? undefined : wholeSize(match[2]!);
  const size = wholeSize(match[3]!);
  if (start === undefined || size === undefined) return undefined;
  if (match[2] === '') return { start, size };
  return end === undefined || end <= start ? undefined : { start, end, size };
}

function parseOffset(text: string): number | undefined {
  return text.startsWith('@') ? wholeSize(text.slice(1)) : undefined;
}

function wholeSize(text: string): number | undefined {
  const size = leadingSize(text);
  return size?.length === text.length ? size.value : undefined;
}
