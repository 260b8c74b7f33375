/** Brings a machine up for a command: its options handed on, a progress bar while pages are initialised. */
import { bootMemory } from '../../boot/boot-memory.js';
import type { Machine } from '../../boot/machine.js';
import type { LoadedMachine } from '../../input/types.js';
import type { CommandIo } from '../io.js';
import { bootLimit } from '../budget.js';
import { bootThreads } from '../options.js';
import type { BringUpOptions, OutputOptions, SourceOptions } from '../options.js';
import { createProgressBar } from '../progress-bar.js';

/**
 * @param input    what to boot
 * @param options  parsed options
 * @param io       where the bar is drawn; the signal that ends it
 * @param show     whether to draw a bar, and whether to print kernel-like lines
 * @returns the machine, to be closed
 * @throws BootmemError as `bootMemory`; the bar is gone then as well
 */
export async function bootWithProgress(
  input: LoadedMachine,
  options: BringUpOptions & Pick<SourceOptions, 'profile'> & Pick<OutputOptions, 'limit'>,
  io: CommandIo,
  show: { readonly progress: boolean; readonly lines: boolean },
): Promise<Machine> {
  const bar = createProgressBar(io, {
    label: 'initialising',
    unit: 'pages',
    enabled: show.progress,
  });
  try {
    return await bootMemory(input.description, {
      ...bootThreads(options.threads),
      mode: options.mode,
      ...(options.bind === undefined ? {} : { binding: options.bind }),
      ...(options.accept === undefined ? {} : { accept: options.accept }),
      profile: options.profile,
      source: input.source,
      notes: input.notes,
      limitBytes: bootLimit(options.limit),
      signal: io.signal,
      onProgress: (event) => {
        if (event.kind === 'log' && show.lines) bar.print(`${event.line}\n`);
        if (event.kind === 'pages') bar.update(event.done, event.total);
      },
    });
  } finally {
    bar.stop();
  }
}
