/**
 * The command's grammar: sub-commands, options, help. What each does lives in its own file; completion, the manual and the fuzzer
 * read the grammar itself, so that none of them can miss an option.
 */
import { Command, Option } from 'commander';
import { MAX_THREADS } from '../boot/boot-memory.js';
import { packageVersion } from '../package-info.js';
import { runBench } from './commands/bench-command.js';
import type { BenchOptions } from './commands/bench-command.js';
import { runBoot } from './commands/boot-command.js';
import type { BootCommandOptions } from './commands/boot-command.js';
import { runCheck } from './commands/check-command.js';
import type { CheckOptions } from './commands/check-command.js';
import { runCompletion } from './commands/completion-command.js';
import { runExplain } from './commands/explain-command.js';
import type { ExplainCommandOptions } from './commands/explain-command.js';
import type { ExitCodeValue } from './exit-codes.js';
import type { CommandIo } from './io.js';
import {
  addBringUpOptions,
  addOutputOptions,
  addSourceOptions,
  addStrictOption,
  memorySize,
  wholeNumber,
} from './options.js';
import { runAt, runLsmem, runNuma, runPhases } from './commands/view-commands.js';
import type { ViewOptions } from './commands/view-commands.js';
import { runMan } from './commands/man-command.js';
import { runReplay } from './commands/replay-command.js';
import type { ReplayOptions } from './commands/replay-command.js';
import { runReport } from './commands/report-command.js';
import type { ReportOptions } from './commands/report-command.js';
import { appended, runWhatIf } from './commands/what-if-command.js';
import type { WhatIfOptions } from './commands/what-if-command.js';
import { runSchema, SCHEMA_NAMES } from './commands/schema-command.js';

/**
 * Builds the grammar.
 * @param io    where help and messages go
 * @param done  receives the exit code of the command that ran
 */
export function createProgram(io: CommandIo, done: (code: ExitCodeValue) => void): Command {
  const program = new Command('bootmem')
    .description(
      "Brings a machine's memory up from its boot log, on real threads, and compares it with what the kernel reported.",
    )
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        io.out(text);
      },
      writeErr: (text) => {
        io.err(text);
      },
      getOutHasColors: () => io.colors.isColorSupported,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('(see --help)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 mismatch or failure, 2 bad usage or input, 130 interrupted (143 by SIGTERM).\nThe manual: man bootmem, or bootmem man | man -l -',
    );

  addStrictOption(
    addBringUpOptions(addSourceOptions(addOutputOptions(program.command('boot [file]')))),
  )
    .description('bring a machine up; without FILE the sample that is shipped')
    .option(
      '--trace <file>',
      'write threads and chunks as a trace for Perfetto or chrome://tracing',
    )
    .option('--metrics <file>', 'write zones, free blocks and times as OpenMetrics text')
    .action(async (file: string | undefined, options: BootCommandOptions) => {
      done(await runBoot(file, options, io));
    });

  addStrictOption(addOutputOptions(program.command('check <files...>')))
    .description('compare zones, ranges, holes, … with what the kernel printed in the same log')
    .option('--boot <n>', 'which boot of a log with several', wholeNumber('--boot', 1, 1e6))
    .option('--all', 'a full table for every file, also when there are many')
    .action(async (files: string[], options: CheckOptions) => {
      done(await runCheck(files, options, io));
    });

  addStrictOption(addSourceOptions(addOutputOptions(program.command('explain [files...]'))))
    .description(
      'where the memory went, from what is installed to what is free; two logs: compared',
    )
    .option('--installed <size>', 'memory that is installed, e.g. 32G', memorySize)
    .option('--evidence', 'of one log: below each row, the lines and rules that it rests on')
    .option('--markdown', 'print Markdown, for a bug report')
    .action(async (files: string[], options: ExplainCommandOptions) => {
      done(await runExplain(files, options, io));
    });

  addOutputOptions(program.command('what-if [file]'))
    .description('the same machine booted with other options, or by another kernel’s rules')
    .option('--cmdline <text>', 'the other command line, instead of the log’s')
    .option('--add <words>', 'options put at its end; may be repeated', appended)
    .option('--remove <name>', 'options to leave out; may be repeated', appended)
    .option('--kernel <release>', 'a kernel release whose rules count, such as 7.3')
    .addOption(
      new Option('--memory-model <model>', 'how page descriptors are kept').choices([
        'sparsemem',
        'flatmem',
      ]),
    )
    .option(
      '--nodes <n>',
      'nodes of equal size instead of the firmware’s',
      wholeNumber('--nodes', 1, 1024),
    )
    .option('--boot <n>', 'which boot of a log with several', wholeNumber('--boot', 1, 1e6))
    .option('--this-machine', 'the machine this runs on')
    .option('--all', 'rows that stay the same too')
    .action(async (file: string | undefined, options: WhatIfOptions) => {
      done(await runWhatIf(file, options, io));
    });

  addOutputOptions(program.command('replay <files...>'))
    .description("replay a log's memblock=debug lines and compare with the kernel's dumps")
    .option('--boot <n>', 'which boot of a log with several', wholeNumber('--boot', 1, 1e6))
    .option('--dump', 'print the final state')
    .action(async (files: string[], options: ReplayOptions) => {
      done(await runReplay(files, options, io));
    });

  addSourceOptions(addOutputOptions(program.command('bench [file]')))
    .description(
      'time initialisation by thread count: the table of the padata series, for this machine',
    )
    .option('--csv', 'print comma separated values')
    .option(
      '--model',
      'predict the machine by threads a node instead of booting it, and say how far such predictions are off',
    )
    .option(
      '-r, --rounds <n>',
      'measured boots a thread count',
      wholeNumber('--rounds', 1, 1000),
      5,
    )
    .option('-t, --threads <n>', 'most threads', wholeNumber('--threads', 1, MAX_THREADS))
    .action(async (file: string | undefined, options: BenchOptions) => {
      done(await runBench(file, options, io));
    });

  addStrictOption(
    addBringUpOptions(addSourceOptions(addOutputOptions(program.command('report [file]')))),
  )
    .description('write one self-contained HTML page about a boot')
    .option('-o, --output <file>', 'where to write', 'report.html')
    .option(
      '-r, --rounds <n>',
      'measured boots a thread count',
      wholeNumber('--rounds', 1, 1000),
      3,
    )
    .action(async (file: string | undefined, options: ReportOptions) => {
      done(await runReport(file, options, io));
    });

  addSourceOptions(addOutputOptions(program.command('numa [file]')))
    .description('nodes with processors, sizes, free memory, distances, as numactl --hardware')
    .action(async (file: string | undefined, options: ViewOptions) => {
      done(await runNuma(file, { options, io }));
    });

  addSourceOptions(addOutputOptions(program.command('lsmem [file]')))
    .description('ranges of memory blocks, as lsmem')
    .option('-o, --output <columns>', 'columns: RANGE,SIZE,STATE,BLOCK,NODE,ZONES')
    .action(async (file: string | undefined, options: ViewOptions) => {
      done(await runLsmem(file, { options, io }));
    });

  addSourceOptions(addOutputOptions(program.command('at <place> [file]')))
    .description('what lies at 0xADDRESS or at a page frame: node, zone, map entry, reservation')
    .action(async (place: string, file: string | undefined, options: ViewOptions) => {
      done(await runAt(place, file, { options, io }));
    });

  addSourceOptions(addOutputOptions(program.command('phases [file]')))
    .description("steps of the boot by the log's own time stamps")
    .action(async (file: string | undefined, options: ViewOptions) => {
      done(await runPhases(file, { options, io }));
    });

  program
    .command('completion <shell>')
    .description('print a completion script: bash, zsh or fish')
    .action((shell: string) => {
      done(runCompletion(shell, program, io));
    });

  program
    .command('man')
    .description('print the manual as a page for man: bootmem man | man -l -')
    .action(() => {
      done(runMan(program, io));
    });

  program
    .command('schema')
    .description('print the JSON schema of an output')
    .addOption(new Option('--of <name>', 'which output').choices(SCHEMA_NAMES).default('boot'))
    .action((options: { of: string }) => {
      done(runSchema(options.of, io));
    });

  return program;
}
