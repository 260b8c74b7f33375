/** `numa`, `lsmem`, `at`, `phases`: one machine, one look at it. */
import { inTurns } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { BootmemError } from '../../errors.js';
import {
  addressText,
  LSMEM_COLUMNS,
  lsmemText,
  numaText,
  phasesText,
} from '../../format/view-text.js';
import type { LsmemColumn } from '../../format/view-text.js';
import type { Paper } from '../../format/paper.js';
import { loadMachine } from '../../input/load-machine.js';
import type { LoadedMachine } from '../../input/types.js';
import { addressView } from '../../views/at.js';
import type { PhasesView } from '../../view-result.js';
import { lsmemView } from '../../views/lsmem.js';
import { numaView } from '../../views/numa.js';
import { phasesView } from '../../views/phases.js';
import { ExitCode } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import { paperOf } from '../io.js';
import type { CommandIo } from '../io.js';
import type { OutputOptions, SourceOptions } from '../options.js';
import { printJson, printText } from '../print.js';

/** Options of a view. */
export interface ViewOptions extends OutputOptions, SourceOptions {
  /** Columns of `lsmem`, separated by commas. */
  readonly output?: string;
}

/** A view: what it is, and how it reads. */
interface View<Result> {
  readonly of: (input: LoadedMachine) => Steps<Result>;
  readonly text: (result: Result, paper: Paper) => string;
}

async function show<Result>(
  file: string | undefined,
  { options, io }: { options: ViewOptions; io: CommandIo },
  view: View<Result>,
): Promise<ExitCodeValue> {
  const input = await loadMachine(file, { ...options, signal: io.signal });
  const result = await inTurns(view.of(input), io.signal);
  if (options.quiet === true) return ExitCode.OK;
  if (options.json === true) await printJson(io, result);
  else await printText(io, view.text(result, paperOf(io, options)));
  return ExitCode.OK;
}

/** Where a command writes, and how. */
interface Way {
  readonly options: ViewOptions;
  readonly io: CommandIo;
}

/** `bootmem numa`. */
export function runNuma(file: string | undefined, way: Way): Promise<ExitCodeValue> {
  return show(file, way, { of: numaView, text: numaText });
}

// eslint-disable-next-line require-yield -- a few lines, looked up
function* phasesSteps(input: LoadedMachine): Steps<PhasesView> {
  return phasesView(input);
}

/** `bootmem phases`. */
export function runPhases(file: string | undefined, way: Way): Promise<ExitCodeValue> {
  return show(file, way, { of: phasesSteps, text: phasesText });
}

/**
 * `bootmem lsmem`.
 * @throws BootmemError ERR_BOOTMEM_USAGE for a column that there is not
 */
export async function runLsmem(file: string | undefined, way: Way): Promise<ExitCodeValue> {
  const columns = way.options.output?.split(',').map(columnOf);
  return await show(file, way, {
    of: lsmemView,
    text: (view, paper) => lsmemText(view, paper, columns),
  });
}

function columnOf(name: string): LsmemColumn {
  const column = LSMEM_COLUMNS.find((one) => one === name.toUpperCase());
  if (column !== undefined) return column;
  const names = LSMEM_COLUMNS.join(', ');
  throw new BootmemError('ERR_BOOTMEM_USAGE', `a column is one of ${names}, got '${name}'`);
}

/**
 * `bootmem at`.
 * @param place  `0x…` an address, digits alone a page frame
 * @throws BootmemError ERR_BOOTMEM_USAGE for anything else
 */
export async function runAt(
  place: string,
  file: string | undefined,
  way: Way,
): Promise<ExitCodeValue> {
  const isAddress = /^0x[\da-f]+$/i.test(place);
  const value = isAddress || /^\d+$/.test(place) ? Number(place) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw new BootmemError(
      'ERR_BOOTMEM_USAGE',
      `expected 0xADDRESS or a page frame, got '${place}'`,
    );
  }
  const address = (input: LoadedMachine): number =>
    isAddress ? value : value * (input.description.pageSize ?? 4096);
  return await show(file, way, {
    of: (input) => addressView(input, address(input)),
    text: addressText,
  });
}
