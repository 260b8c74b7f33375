/** Options of the command line that had no effect, or another one than they look like. */
import { splitCommandLine } from '@bootmem/firmware-map';
import { formatBytes } from '../format/numbers.js';
import type { Finding } from '../result.js';
import { found } from './finding-list.js';
import type { FindingRule, Searched } from './finding-list.js';

/** All rules about options. */
export const optionFindings: FindingRule = function* (searched) {
  const line = searched.plan.description.commandLine?.line ?? 0;
  for (const rule of [
    movableNode,
    movableSize,
    eatenDollar,
    fakedNodes,
    crashThreshold,
    badOptions,
  ]) {
    for (const words of rule(searched)) {
      yield found(searched, words.line ?? line, words);
    }
  }
};

type Words = Omit<Finding, 'text'>;

function hasMovable({ plan }: Searched): boolean {
  return plan.layout.nodes.some((node) =>
    node.zones.some(({ zone, presentPages }) => zone === 'Movable' && presentPages > 0),
  );
}

function* movableNode(searched: Searched): Generator<Words> {
  const { options, numa, printed } = searched.plan.description;
  if (!options.movableNode || hasMovable(searched) || printed.movableStarts.length > 0) return;
  const marks = numa.srat.some(({ hotplug }) => hotplug);
  yield {
    id: 'option-without-effect',
    severity: 'warning',
    message: marks
      ? 'movable_node has no effect: every node whose memory may be unplugged holds something of the kernel’s (the image, the initrd, …)'
      : 'movable_node has no effect: the firmware marks no memory as hot-pluggable (no "hotplug" in the SRAT)',
    remedy: marks
      ? 'have the boot loader put kernel and initrd into a node that stays'
      : 'mark the memory in the firmware setup, or use kernelcore= or movablecore=',
  };
}

function* movableSize(searched: Searched): Generator<Words> {
  const { options, printed } = searched.plan.description;
  const asks = options.kernelcore !== undefined || options.movablecore !== undefined;
  if (!asks || options.movableNode || hasMovable(searched)) return;
  if (printed.movableStarts.length > 0) return;
  const name = options.kernelcore === undefined ? 'movablecore=' : 'kernelcore=';
  yield {
    id: 'option-without-effect',
    severity: 'warning',
    message: `${name} leaves no memory movable: zones below the highest one are counted as kernel memory first`,
    remedy: `a smaller kernelcore= or a larger movablecore=; try it with bootmem boot --memory`,
  };
}

/** A value of `memmap=` that is a size and no range: `64G`, or what is left of `64G$64G`. */
const BARE_SIZE = /^(\d+[kKmMgGtT]?)\w*$/;

/** `memmap=64G$64G` of which a boot loader took `$6` for a variable of its own. */
function* eatenDollar({ plan }: Searched): Generator<Words> {
  for (const value of memmapValues(plan.description.commandLine?.text ?? '')) {
    const size = BARE_SIZE.exec(value)?.[1];
    if (size === undefined) continue;
    yield {
      id: 'option-dollar',
      severity: 'warning',
      message: `memmap=${value} limits memory to ${size}, like mem=: it has no @, #, $ or !`,
      remedy:
        'if a reservation was meant, the boot loader ate "$" and what follows: write \\$ (in a GRUB configuration file \\\\\\$)',
    };
  }
}

function memmapValues(commandLine: string): string[] {
  return splitCommandLine(commandLine).flatMap(({ name, value }) =>
    name === 'memmap' && value !== undefined ? value.split(',') : [],
  );
}

function* fakedNodes({ plan }: Searched): Generator<Words> {
  const { options, numa, source } = plan.description;
  const asked = options.numa.some(({ mode }) => mode === 'fake');
  if (!asked || numa.faked.length > 0 || source.format !== 'boot-log') return;
  const off = options.numa.some(({ mode }) => mode === 'off');
  yield {
    id: 'option-without-effect',
    severity: 'warning',
    message: off
      ? 'numa=fake= has no effect: numa=off is on the command line too'
      : 'no line of the log tells of faked nodes: numa=fake= had no effect, or the log was cut',
    remedy: 'the kernel needs NUMA_EMU',
  };
}

/** `crashkernel=1G-:256M` on a machine with less. */
function* crashThreshold({ plan }: Searched): Generator<Words> {
  const { options, printed, source } = plan.description;
  if (options.crashkernel.length === 0 || printed.crashkernel.length > 0) return;
  if (source.format !== 'boot-log' || printed.memory === undefined) return;
  if (printed.failures?.some(({ text }) => text.includes('crashkernel')) === true) return;
  if (printed.uses?.some(({ what }) => what === 'crashkernel-cma') === true) return;
  const memory =
    plan.layout.nodes.reduce((sum, node) => sum + node.presentPages, 0) * plan.pageSize;
  const steps = options.crashkernel.flatMap((one) => one.steps ?? []);
  const isBelow = steps.length > 0 && steps.every(({ start }) => memory < start);
  yield {
    id: 'crashkernel-missing',
    severity: 'warning',
    message: isBelow
      ? `crashkernel= reserves nothing here: its first range begins at ${formatBytes(Math.min(...steps.map(({ start }) => start)))}, the machine has ${formatBytes(memory)}`
      : 'crashkernel= is on the command line, and no line tells of a reservation',
    remedy: isBelow
      ? 'add a range that begins lower'
      : 'dmesg | grep -i crash; the kernel needs CRASH_DUMP (KEXEC)',
  };
}

function* badOptions({ plan }: Searched): Generator<Words> {
  for (const { code, line, message } of plan.description.problems) {
    // A size of memmap= alone is told above.
    if (code !== 'BAD_OPTION' || message.includes('memmap')) continue;
    yield {
      id: 'option-malformed',
      severity: 'warning',
      line,
      message,
      remedy: 'see kernel-parameters',
    };
  }
}
