/** Lines of a log taken apart: what its way out added in front of a message, and the message. */

const PREFIX = /^(?:<(\d{1,3})>)?\[ *(\d+)\.(\d{6})\](?:\[ *[TC]\d+\])? /;

/** A line in parts. */
export interface LogLine {
  readonly priority: number;
  readonly seconds: number;
  readonly message: string;
}

/** The parts of a line with the kernel's own prefix; `undefined` for any other. */
function takeApart(line: string): LogLine | undefined {
  const match = PREFIX.exec(line);
  if (match === null) return undefined;
  return {
    priority: match[1] === undefined ? 6 : Number(match[1]),
    seconds: Number(`${match[2]!}.${match[3]!}`),
    message: line.slice(match[0].length),
  };
}

/** All lines in parts; `undefined` when one of them has another prefix, or none. */
export function allApart(lines: readonly string[]): LogLine[] | undefined {
  const apart: LogLine[] = [];
  for (const line of lines) {
    const parts = takeApart(line.trimEnd());
    if (parts === undefined) return undefined;
    apart.push(parts);
  }
  return apart;
}

/** What stands in front of the message. */
export function prefixOf(line: string): string {
  return PREFIX.exec(line)?.[0] ?? '';
}

/** Kernel time as it is printed. */
export function stamp(seconds: number): string {
  return `[${seconds.toFixed(6).padStart(12)}]`;
}

/** An address as e820 lines print it. */
export function hex(address: number, digits = 16): string {
  return `0x${address.toString(16).padStart(digits, '0')}`;
}
