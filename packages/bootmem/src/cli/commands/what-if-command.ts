/**
 * `bootmem what-if FILE`: what other options, or another kernel, would make of the machine.
 */
import { inTurns } from '@bootmem/firmware-map/derive';
import { whatIfText } from '../../format/what-if/text.js';
import { loadMachine } from '../../input/load-machine.js';
import { whatIfSteps } from '../../what-if/what-if.js';
import { ExitCode } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import { paperOf } from '../io.js';
import type { CommandIo } from '../io.js';
import type { OutputOptions } from '../options.js';
import { printJson, printText } from '../print.js';

/** Options of `what-if`. */
export interface WhatIfOptions extends OutputOptions {
  readonly cmdline?: string;
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly kernel?: string;
  readonly memoryModel?: 'sparsemem' | 'flatmem';
  readonly nodes?: number;
  readonly boot?: number;
  readonly thisMachine?: boolean;
  readonly all?: boolean;
}

/** Collects the values of an option that may be repeated. */
export function appended(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/**
 * @param file     a boot log, or none for the shipped sample
 * @param options  parsed options
 * @param io       where to write
 * @returns 0
 * @throws BootmemError when the input is unusable, or an option to remove is not there
 */
export async function runWhatIf(
  file: string | undefined,
  options: WhatIfOptions,
  io: CommandIo,
): Promise<ExitCodeValue> {
  const { cmdline, boot, thisMachine } = options;
  const input = await loadMachine(file, {
    signal: io.signal,
    ...(boot === undefined ? {} : { boot }),
    ...(thisMachine === undefined ? {} : { thisMachine }),
  });
  const changes = { ...options, ...(cmdline === undefined ? {} : { commandLine: cmdline }) };
  const report = await inTurns(whatIfSteps(input, changes), io.signal);
  if (options.quiet === true) return ExitCode.OK;
  if (options.json === true) await printJson(io, report);
  else {
    const { all = false } = options;
    const text = await inTurns(whatIfText(report, paperOf(io, options), { all }), io.signal);
    await printText(io, text);
  }
  return ExitCode.OK;
}
