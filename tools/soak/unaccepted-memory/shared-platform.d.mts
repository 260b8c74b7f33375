import type { AcceptBackend } from '@bootmem/unaccepted-memory';
export const Unit: {
  readonly PENDING: 0;
  readonly ACCEPTED: 1;
  readonly SHARED: 2;
  readonly CHANGING: 3;
};
export const HEADER: number;
export function sharedPlatform(settings: {
  readonly words: Int32Array;
  readonly unitSize: number;
  readonly busy: number;
}): AcceptBackend;
