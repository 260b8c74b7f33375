import type { AcceptBackend } from '@bootmem/unaccepted-memory';

export function countingBackend(settings: {
  readonly counts: SharedArrayBuffer;
  readonly granularity: number;
  readonly repeatable: 'concurrently' | 'after-death' | 'never';
}): AcceptBackend;
