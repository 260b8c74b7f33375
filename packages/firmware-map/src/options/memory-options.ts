/**
 * Options of the kernel command line that change memory, decoded.
 *
 * The command line is cut at blanks outside double quotes, as the kernel does; options after a lone `--` belong to
 * init. Values that the kernel would refuse are left out and reported, because it ignores them too.
 *
 * Source: kernel documentation, "The kernel's command-line parameters".
 */
import { PHYS_ADDR_MAX } from '../base/constants.js';
import { leadingNumber, leadingSize } from '../base/numbers.js';
import { ProblemList } from '../base/problem-list.js';
import type {
  HugepagesOption,
  MemmapOption,
  MemoryAmount,
  MemoryOptions,
  NumaOption,
  Problem,
} from '../types/all.js';
import type { Writable } from '../base/writable.js';
import { parseCrashkernel } from './crashkernel.js';
import { parseMemmap } from './memmap-option.js';

type OptionsDraft = Writable<
  Omit<MemoryOptions, 'memmap' | 'numa' | 'crashkernel' | 'hugepages'>
> & {
  memmap: MemmapOption[];
  numa: NumaOption[];
  crashkernel: MemoryOptions['crashkernel'][number][];
  hugepages: Writable<HugepagesOption>[];
};

/** What one option does; `false`: the value is refused; a text: how a part of it is read. */
type Handler = (options: OptionsDraft, value: string) => boolean | string;

const HANDLERS: Readonly<Record<string, Handler>> = {
  mem: (options, value) => {
    if (value === 'nopentium') return true;
    const { value: size = 0, length = 0 } = leadingSize(value) ?? {};
    if (size === 0) return false;
    if (value[length] === '@') {
      const start = leadingSize(value.slice(length + 1))?.value;
      if (start === undefined || start + size > PHYS_ADDR_MAX) return false;
      options.memAt = [...(options.memAt ?? []), { start, size }];
    } else options.mem = Math.min(options.mem ?? size, size);
    return true;
  },
  memmap: (options, value) => {
    let good: boolean | string = value !== '';
    for (const part of value.split(',')) {
      const parsed = parseMemmap(part);
      if (parsed === undefined) good = false;
      else options.memmap.push(parsed);
      const isLimit = parsed?.form === 'limit' && leadingSize(part)?.length !== part.length;
      if (isLimit && good === true) good = `a limit at ${parsed.size} bytes`;
    }
    return good;
  },
  kernelcore: (options, value) => {
    if (value === 'mirror') options.kernelcore = { mirror: true };
    else return setAmount(value, (amount) => (options.kernelcore = amount));
    return true;
  },
  movablecore: (options, value) => setAmount(value, (amount) => (options.movablecore = amount)),
  movable_node: (options) => (options.movableNode = true),
  numa: (options, value) => {
    let good = value !== '';
    const parts = value.startsWith('fake=') ? [value] : value.split(',');
    for (const part of parts) {
      const parsed = parseNuma(part);
      if (parsed === undefined) good = false;
      else options.numa.push(parsed);
    }
    return good;
  },
  crashkernel: (options, value) => {
    const parsed = parseCrashkernel(value);
    if (parsed !== undefined) options.crashkernel.push(parsed);
    return parsed !== undefined;
  },
  hugepagesz: (options, value) => {
    const pageBytes = leadingSize(value)?.value;
    if (pageBytes === undefined || !isPowerOfTwo(pageBytes)) return false;
    options.hugepages.push({ pageBytes });
    return true;
  },
  hugepages: (options, value) => setHugepages(options, value),
  default_hugepagesz: (options, value) => {
    const size = leadingSize(value)?.value;
    if (size === undefined || !isPowerOfTwo(size)) return false;
    options.defaultHugepageSize = size;
    return true;
  },
  accept_memory: (options, value) => {
    if (value !== 'lazy' && value !== 'eager') return false;
    options.acceptMemory = value;
    return true;
  },
  memblock: (options, value) => {
    if (!value.includes('debug')) return false;
    options.memblockDebug = true;
    return true;
  },
  log_buf_len: (options, value) => {
    const size = leadingSize(value)?.value;
    if (size === undefined || size > 2 ** 31) return false;
    if (size > 0) options.logBufLen = 2 ** Math.ceil(Math.log2(size));
    return true;
  },
  efi: (options, value) => {
    for (const part of value.split(',')) {
      if (part === 'debug') options.efiDebug = true;
      else if (part === 'nosoftreserve') options.noSoftReserve = true;
    }
    return true;
  },
  efi_fake_mem: (options, value) => {
    options.efiFakeMem = value;
    return value !== '';
  },
  add_efi_memmap: (options) => (options.addEfiMemmap = true),
  init_on_alloc: (options, value) => setFlag(value, (on) => (options.initOnAlloc = on)),
  init_on_free: (options, value) => setFlag(value, (on) => (options.initOnFree = on)),
  'page_alloc.shuffle': (options, value) => setFlag(value, (on) => (options.shuffle = on)),
  highmem: (options, value) => setSize(value, (size) => (options.highmem = size)),
  cma: (options, value) => setSize(value, (size) => (options.cma = size)),
  vmalloc: (options, value) => setSize(value, (size) => (options.vmalloc = size)),
  maxcpus: (options, value) => setCount(value, (count) => (options.maxCpus = count)),
  nr_cpus: (options, value) => setCount(value, (count) => (options.nrCpus = count)),
  possible_cpus: (options, value) => setCount(value, (count) => (options.possibleCpus = count)),
  min_memory_block_size: (options, value) =>
    setSize(value, (size) => (options.minMemoryBlockSize = size)),
  'memory_hotplug.memmap_on_memory': (options, value) => {
    options.memmapOnMemory = value;
    return value === 'force' || FLAG.test(value);
  },
  memhp_default_state: (options, value) => {
    options.memhpDefaultState = value;
    return /^(?:offline|online|online_kernel|online_movable)$/.test(value);
  },
};

/** A yes or no, as far as the kernel looks. */
const FLAG = /^(?:[01yYnNtTfF]|[oO][nNfF])/;

/** Options that are meaningful without a value. */
const BARE = new Set(['movable_node', 'add_efi_memmap']);

/** What {@link parseMemoryOptions} found. */
export interface ParsedOptions {
  readonly options: MemoryOptions;
  readonly problems: readonly Problem[];
}

/**
 * The memory options of a command line.
 * @param commandLine  text after `Command line: `
 * @param line         where it stands, for the problems; 0 if nowhere
 */
export function parseMemoryOptions(commandLine: string, line = 0): ParsedOptions {
  const problems = new ProblemList();
  const options: OptionsDraft = {
    memmap: [],
    movableNode: false,
    numa: [],
    crashkernel: [],
    hugepages: [],
    memblockDebug: false,
    efiDebug: false,
    noSoftReserve: false,
    addEfiMemmap: false,
  };
  for (const { name, value } of splitCommandLine(commandLine)) {
    const handler = Object.hasOwn(HANDLERS, name) ? HANDLERS[name]! : undefined;
    if (handler === undefined) continue;
    const isGood =
      value === undefined ? BARE.has(name) && handler(options, '') : handler(options, value);
    if (isGood !== true) {
      const shown = `${name}=${value ?? ''}`.slice(0, 80);
      const what =
        isGood === false ? 'no value that the kernel accepts; ignored' : `read as ${isGood}`;
      problems.warn('BAD_OPTION', line, `"${shown}" is ${what}`);
    }
  }
  return { options, problems: problems.list() };
}

/** Words of a command line up to `--`, cut at blanks outside double quotes. */
export function splitCommandLine(text: string): { name: string; value: string | undefined }[] {
  const words: { name: string; value: string | undefined }[] = [];
  for (const word of cutWords(text)) {
    if (word === '--') break;
    const equals = word.indexOf('=');
    // Dashes and underscores are the same in names.
    const name = (equals < 0 ? word : word.slice(0, equals)).replaceAll('-', '_');
    words.push({ name, value: equals < 0 ? undefined : word.slice(equals + 1) });
  }
  return words;
}

// Words without their quotes.
function* cutWords(text: string): Generator<string> {
  let word = '';
  let isQuoted = false;
  for (const char of text) {
    if (char === '"') isQuoted = !isQuoted;
    else if (isQuoted || !/\s/.test(char)) word += char;
    else if (word !== '') {
      yield word;
      word = '';
    }
  }
  if (word !== '') yield word;
}

/** The kernel looks for a letter anywhere: `U`, then `M` or `G`; without one the number is a count. */
function parseNuma(text: string): NumaOption | undefined {
  if (text === 'noacpi' || text === 'nohmat' || text === 'on') return { mode: text };
  if (text.startsWith('off')) return { mode: 'off' };
  const value = /^fake=(.*)$/.exec(text)?.[1];
  if (value === undefined) return undefined;
  const uniform = value.includes('U');
  if (!uniform && /[MG]/.test(value)) {
    const size = leadingSize(value)?.value ?? 0;
    return size === 0 ? undefined : { mode: 'fake', text: value, size };
  }
  const count = leadingNumber(value)?.value ?? 0;
  return count > 0 && count < 10_000 ? { mode: 'fake', text: value, count, uniform } : undefined;
}

function setAmount(value: string, set: (amount: MemoryAmount) => void): boolean {
  const percent = leadingNumber(value);
  if (percent !== undefined && value[percent.length] === '%') {
    if (percent.value > 100) return false;
    set({ percent: percent.value });
    return true;
  }
  return setSize(value, (bytes) => {
    set({ bytes });
  });
}

function setSize(value: string, set: (size: number) => void): boolean {
  const size = leadingSize(value)?.value;
  if (size === undefined) return false;
  set(size);
  return true;
}

function setCount(value: string, set: (count: number) => void): boolean {
  if (!/^\d{1,6}$/.test(value)) return false;
  set(Number(value));
  return true;
}

/** One letter decides, behind an `o` the next. @kernel kstrtobool */
function setFlag(value: string, set: (on: boolean) => void): boolean {
  if (!FLAG.test(value)) return false;
  set(/^(?:[1yYtT]|[oO][nN])/.test(value));
  return true;
}

/** Numbers are read one by one; what stands behind the last one is not looked at. @kernel hugepages_setup */
function setHugepages(options: OptionsDraft, value: string): boolean {
  const last = options.hugepages.at(-1);
  const isOpen = last !== undefined && last.count === undefined && last.perNode === undefined;
  const entry: Writable<HugepagesOption> = isOpen ? last : {};
  const perNode: { nid: number; count: number }[] = [];
  for (let rest = value; ; rest = rest.slice(1)) {
    const [whole, first, second] = /^(\d{1,12})(?::(\d{1,12}))?/.exec(rest) ?? [];
    if (whole === undefined) return false;
    if (second === undefined) {
      if (rest !== value || rest[whole.length] === ':') return false;
      entry.count = Number(first);
      break;
    }
    perNode.push({ nid: Number(first), count: Number(second) });
    rest = rest.slice(whole.length);
    if (!rest.startsWith(',')) break;
  }
  if (entry.count === undefined) entry.perNode = perNode;
  if (!isOpen) options.hugepages.push(entry);
  return true;
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
