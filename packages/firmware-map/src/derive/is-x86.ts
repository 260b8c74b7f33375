import type { MachineDescription } from '../types/all.js';

/** Is it x86, as far as is known? */
export function isX86({ architecture }: MachineDescription): boolean {
  return architecture === undefined || architecture === 'x86_64' || architecture === 'i386';
}
