/**
 * What an object was set up with: the options with every default filled in. None of it changes later;
 * what does (direction, limit, whether arrays may grow) is in the core.
 */
import { checkChoice, checkKind, checkObject, checkPower, checkRange } from '../base/checks.js';
import { profileForRelease, type MemblockProfile } from '../base/profiles.js';
import type { LogLevel, MemblockOptions, MemblockWarning } from '../base/types.js';

/** Options with every default filled in. */
export interface Settings {
  readonly profile: MemblockProfile;
  readonly pageSize: number;
  readonly cacheLineSize: number;
  readonly maxNodes: number;
  readonly numa: boolean;
  readonly movableNode: boolean;
  readonly mirroredKernelcore: boolean;
  readonly maskAlignment: boolean;
  readonly debug: boolean;
  readonly log: ((text: string, level: LogLevel) => void) | undefined;
  readonly warn: ((warning: MemblockWarning) => void) | undefined;
  readonly accept: ((base: number, size: number) => void) | undefined;
  readonly caller: () => string;
}

/** Fills in the defaults. @throws MemblockError when an option is not what it must be */
export function settingsOf(options: MemblockOptions): Settings {
  const { profile = 'latest' } = options;
  if (typeof profile !== 'string') checkObject(profile, 'profile');
  for (const name of ['log', 'warn', 'accept', 'caller'] as const) {
    checkKind(options[name], name, 'function');
  }
  for (const name of ['numa', 'movableNode', 'mirroredKernelcore', 'debug'] as const) {
    checkKind(options[name], name, 'boolean');
  }
  const { oddAlignment = 'refuse' } = options;
  checkChoice(oddAlignment, 'oddAlignment', ['refuse', 'mask']);
  return {
    profile: typeof profile === 'string' ? profileForRelease(profile) : profile,
    pageSize: checkPower(options.pageSize ?? 4096, 'pageSize'),
    cacheLineSize: checkPower(options.cacheLineSize ?? 64, 'cacheLineSize'),
    maxNodes: checkRange(options.maxNodes ?? 1024, 'maxNodes', 1, 32767),
    numa: options.numa ?? true,
    movableNode: options.movableNode ?? false,
    mirroredKernelcore: options.mirroredKernelcore ?? false,
    maskAlignment: oddAlignment === 'mask',
    debug: options.debug ?? false,
    log: options.log,
    warn: options.warn,
    accept: options.accept,
    caller: options.caller ?? (() => '<caller>'),
  };
}
