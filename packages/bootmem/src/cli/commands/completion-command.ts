/**
 * `bootmem completion SHELL`: prints a completion script made from the grammar itself, so it can never
 * miss an option. Supported: bash, zsh (through bashcompinit), fish.
 */
import type { Command } from 'commander';
import { BootmemError } from '../../errors.js';
import { ExitCode } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import type { CommandIo } from '../io.js';

interface Grammar {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly {
    readonly long: string;
    readonly description: string;
    readonly choices: readonly string[];
    readonly takesValue: boolean;
  }[];
}

function grammarOf(program: Command): Grammar[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    flags: command.options.map((option) => ({
      long: option.long ?? option.short ?? '',
      description: option.description,
      choices: option.argChoices ?? [],
      takesValue: option.required,
    })),
  }));
}

/**
 * A bash completion script.
 * @param program  the grammar
 */
function bashCompletion(program: Command): string {
  const grammar = grammarOf(program);
  const cases = grammar.map(
    (command) =>
      `    ${command.name}) words="${command.flags.map((flag) => flag.long).join(' ')} --help" ;;`,
  );
  const choices = new Map<string, string>();
  for (const command of grammar) {
    for (const flag of command.flags) {
      if (flag.choices.length > 0)
        choices.set(`${command.name}:${flag.long}`, flag.choices.join(' '));
    }
  }
  return `# bash completion of bootmem; put it where your shell reads completions, or: source <(bootmem completion bash)
_bootmem() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${grammar.map((command) => command.name).join(' ')} --help --version" -- "$word"))
    return
  fi
  case "$command:$previous" in
${[...choices].map(([key, values]) => `    ${key}) COMPREPLY=($(compgen -W "${values}" -- "$word")); return ;;`).join('\n')}
    completion:completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$word")); return ;;
  esac
  case "$command" in
${cases.join('\n')}
  esac
  if [[ "$word" == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    # One name a line: names may hold blanks and stars. What was typed may be quoted.
    local IFS=$'\\n'
    word="\${word//\\\\/}"; word="\${word#\\"}"; word="\${word#\\'}"
    set -f; COMPREPLY=($(compgen -f -- "$word")); set +f
  fi
}
complete -o filenames -F _bootmem bootmem
`;
}

/**
 * A fish completion script.
 * @param program  the grammar
 */
function fishCompletion(program: Command): string {
  const quote = (text: string): string => `'${text.replace(/'/g, "\\'")}'`;
  const lines = ['# fish completion of bootmem: bootmem completion fish | source'];
  for (const command of grammarOf(program)) {
    lines.push(
      `complete -c bootmem -n __fish_use_subcommand -f -a ${command.name} -d ${quote(command.description)}`,
    );
    for (const flag of command.flags) {
      const value = flag.takesValue
        ? flag.choices.length > 0
          ? ` -x -a ${quote(flag.choices.join(' '))}`
          : ' -r'
        : '';
      lines.push(
        `complete -c bootmem -n '__fish_seen_subcommand_from ${command.name}' -l ${flag.long.replace(/^--/, '')} -d ${quote(flag.description)}${value}`,
      );
    }
  }
  lines.push(
    "complete -c bootmem -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'",
  );
  return lines.join('\n') + '\n';
}

/**
 * Prints the script.
 * @param shell    `bash`, `zsh` or `fish`
 * @param program  the grammar
 * @param io       where to print
 * @throws BootmemError ERR_BOOTMEM_USAGE for another shell
 */
export function runCompletion(shell: string, program: Command, io: CommandIo): ExitCodeValue {
  switch (shell) {
    case 'bash':
      io.out(bashCompletion(program));
      return ExitCode.OK;
    case 'zsh':
      io.out(
        `#compdef bootmem\nautoload -U +X bashcompinit && bashcompinit\n${bashCompletion(program)}`,
      );
      return ExitCode.OK;
    case 'fish':
      io.out(fishCompletion(program));
      return ExitCode.OK;
    default:
      throw new BootmemError('ERR_BOOTMEM_USAGE', `expected bash, zsh or fish, got ${shell}`, {
        shell,
      });
  }
}
