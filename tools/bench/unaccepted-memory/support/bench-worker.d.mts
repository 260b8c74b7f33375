import type { UnacceptedMemory } from '@bootmem/unaccepted-memory';
import type { MeteredBackend } from '@bootmem/unaccepted-memory/platform';
import type { SharedZone } from '../../../../packages/unaccepted-memory/test/support/shared-zone.mjs';

export function openDesign(run: object): {
  readonly zone: SharedZone;
  readonly memory: UnacceptedMemory;
  readonly backend: MeteredBackend;
};
