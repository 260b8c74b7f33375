import type { MeteredBackend, UnacceptedMemory } from '@bootmem/unaccepted-memory';
import type { SharedZone } from './shared-zone.mjs';

export function openDesign(run: object): {
  readonly zone: SharedZone;
  readonly memory: UnacceptedMemory;
  readonly backend: MeteredBackend;
};
