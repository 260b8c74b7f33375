/** A platform that knows the state of each page and notes what no guest may do. In one thread, or over shared words. */
import type { AcceptBackend } from '@bootmem/unaccepted-memory';

const PAGE = 4096;
/** States of a page at the platform. */
export const Page = { PENDING: 0, ACCEPTED: 1, SHARED: 2 } as const;

/** The platform, and what it saw. */
export interface CheckingPlatform extends AcceptBackend {
  /** What was asked, in units of `unit` bytes: `accept 0-2`. */
  readonly calls: string[];
  /** What must not be. */
  readonly faults: string[];
  /** State of the page at an address. */
  at(address: number): number;
  /** Thrown by the next call, if any. */
  fail: Error | undefined;
}

/** @param pages  how many pages there are, from address 0 @param unit  bytes, for `calls` */
export function checkingPlatform(pages: number, unit: number): CheckingPlatform {
  const states = new Uint8Array(pages);
  const self: CheckingPlatform = {
    name: 'checking',
    granularity: Number.MAX_SAFE_INTEGER,
    maxRun: Number.MAX_SAFE_INTEGER,
    repeatable: 'never',
    calls: [],
    faults: [],
    fail: undefined,
    at: (address) => states[Math.floor(address / PAGE)]!,
    accept(start, end) {
      self.calls.push(`accept ${start / unit}-${end / unit}`);
      if (self.fail !== undefined) throw self.fail;
      for (let page = start / PAGE; page < end / PAGE; page += 1) {
        if (states[page] === Page.ACCEPTED) self.faults.push(`page ${page} is accepted twice`);
        if (states[page] === Page.SHARED) self.faults.push(`shared page ${page} is accepted`);
        states[page] = Page.ACCEPTED;
      }
    },
    convert(start, end, to) {
      self.calls.push(`${to} ${start / unit}-${end / unit}`);
      if (self.fail !== undefined) throw self.fail;
      for (let page = start / PAGE; page < end / PAGE; page += 1) {
        if (to !== 'shared' && states[page] !== Page.SHARED) {
          self.faults.push(`page ${page} becomes ${to} and is not shared`);
        }
        states[page] =
          to === 'shared' ? Page.SHARED : to === 'private' ? Page.ACCEPTED : Page.PENDING;
      }
    },
    toHandle: () => ({ kind: 'checking' }),
  };
  return self;
}
