/**
 * Joins what several files say about one machine: a boot log, and /proc files that were saved beside it.
 *
 * The first description leads: it is kept as it is, and what it does not say is taken from the others in order.
 * Lists are taken whole or not at all, so records of two boots never mix.
 */
import type { MachineDescription, Problem } from '../types/all.js';

/**
 * The description of a machine from several inputs.
 * @param base  leads
 * @param more  fill in what is missing; lines of their problems refer to their own files
 */
export function mergeDescriptions(
  base: MachineDescription,
  ...more: readonly MachineDescription[]
): MachineDescription {
  return more.reduce(fill, base);
}

function fill(base: MachineDescription, other: MachineDescription): MachineDescription {
  const filled = fillObject(base, other, ['source', 'options', 'problems']);
  const hasOwnLine = base.commandLine !== undefined;
  return {
    ...filled,
    firmware: fillObject(base.firmware, other.firmware),
    numa: fillObject(base.numa, other.numa),
    printed: fillObject(base.printed, other.printed),
    memblock: fillObject(base.memblock, other.memblock),
    cpus: fillObject(base.cpus, other.cpus),
    proc: fillObject(base.proc, other.proc),
    options: hasOwnLine ? base.options : other.options,
    problems: [...base.problems, ...other.problems.map((problem) => named(problem, other))],
  };
}

function named(problem: Problem, { source }: MachineDescription): Problem {
  return { ...problem, message: `${source.name ?? source.format}: ${problem.message}` };
}

function fillObject<T extends object>(base: T, other: T, skip: readonly string[] = []): T {
  const result = { ...base } as Record<string, unknown>;
  for (const [key, value] of Object.entries(other)) {
    if (skip.includes(key)) continue;
    const own = result[key];
    if (own === undefined || (Array.isArray(own) && own.length === 0)) result[key] = value;
  }
  return result as T;
}
