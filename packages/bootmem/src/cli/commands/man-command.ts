/**
 * `bootmem man`: the manual as a page for `man`. Commands, usage and options come from the grammar that `--help` prints,
 * so none can be missing or be told differently; what they mean at length comes from docs/bootmem.1.md.
 */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { literal, toRoff } from '../roff.js';
import { packageVersion } from '../../package-info.js';
import { ExitCode } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import type { CommandIo } from '../io.js';

/** Sections of a Markdown text by heading of a level; what stands before the first is under ''. */
function sections(markdown: string, level: '##' | '###'): Map<string, string> {
  const found = new Map<string, string>();
  let title = '';
  let isCode = false;
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) isCode = !isCode;
    const heading =
      isCode || !line.startsWith(`${level} `) ? undefined : line.slice(level.length + 1);
    if (heading !== undefined) title = heading;
    else found.set(title, `${found.get(title) ?? ''}${line}\n`);
  }
  return found;
}

/** A command with its usage, its text and its options. */
function commandPage(command: Command, prose: string): string {
  const help = command.createHelp();
  const options = help.visibleOptions(command).map((option) => {
    const told = help.optionDescription(option);
    return `.TP\n\\fB${literal(help.optionTerm(option))}\\fR\n${literal(told)}\n`;
  });
  const description = command.description();
  return [
    `.SS ${command.name()}\n`,
    `.nf\n\\fB${literal(usageOf(command))}\\fR\n.fi\n.PP\n`,
    `${literal(description.charAt(0).toUpperCase() + description.slice(1))}.\n`,
    prose === '' ? '' : `.PP\n${prose}`,
    ...options,
  ].join('');
}

/** One line a command. */
function synopsis(program: Command): string {
  const lines = program.commands.map((command) => literal(usageOf(command)));
  return `.SH SYNOPSIS\n.nf\n${lines.join('\n')}\n.fi\n`;
}

function usageOf(command: Command): string {
  return `bootmem ${command.name()} ${command.usage()}`.trim();
}

/**
 * The page.
 * @param program  the grammar
 * @param manual   docs/bootmem.1.md
 */
function manPage(program: Command, manual: string): string {
  const parts = sections(manual, '##');
  const told = [...sections(parts.get('COMMANDS') ?? '', '###')];
  const proseOf = (name: string): string => {
    const [, text = ''] = told.find(([title]) => title.split(', ').includes(name)) ?? [];
    // What is told of several commands at once stands with the first of them.
    const isFirst = told.some(([title]) => title.split(', ')[0] === name);
    return isFirst ? toRoff(text.trim()) : '';
  };
  const section = (title: string): string =>
    `.SH ${title}\n${toRoff((parts.get(title) ?? '').trim())}`;
  return [
    `.TH BOOTMEM 1 "" "bootmem ${packageVersion()}"\n`,
    section('NAME'),
    synopsis(program),
    section('DESCRIPTION'),
    '.SH COMMANDS\n',
    ...program.commands.map((command) => commandPage(command, proseOf(command.name()))),
    ...[...parts.keys()]
      .filter((title) => !['', 'NAME', 'SYNOPSIS', 'DESCRIPTION', 'COMMANDS'].includes(title))
      .map(section),
  ].join('');
}

/**
 * Prints the page.
 * @param program  the grammar
 * @param io       where to print
 */
export function runMan(program: Command, io: CommandIo): ExitCodeValue {
  const manual = new URL('../../../docs/bootmem.1.md', import.meta.url);
  io.out(manPage(program, readFileSync(manual, 'utf8')));
  return ExitCode.OK;
}
