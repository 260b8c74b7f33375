/**
 * Where recorded kernel state lies. The shared oracle is used when it is there; a fresh clone has only
 * the small fixtures kept beside the tests.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder `oracle/NAME` of the shared material, or undefined where there is none. */
export function sharedOracle(name: 'boots' | 'corpus' | 'memblock'): string | undefined {
  const path = fileURLToPath(new URL(`../../../../shared/oracle/${name}`, import.meta.url));
  return existsSync(path) ? path : undefined;
}
