/**
 * Where recorded kernel state lies.
 *
 * The full recordings are shared between checkouts and lie beside the repository; a fresh clone has only
 * the small fixtures of this workspace. Runners and tests ask here, so that both find what there is.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The kinds of recordings: whole boots (older and newer ones), logs from the field, memblock traces. */
export type OracleName = 'boots' | 'boots2' | 'corpus' | 'memblock';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * Folder of the recordings called `name`: the shared ones, or the repository's own few.
 * @returns undefined where this checkout has neither
 */
export function sharedOracle(name: OracleName): string | undefined {
  return [at(`../../../../shared/oracle/${name}`), fixtureOracle(name)].find(
    (path) => path !== undefined && existsSync(path),
  );
}

/** Folder of the few recordings called `name` that are part of the repository, if there are any. */
export function fixtureOracle(name: OracleName): string | undefined {
  const path = at(`../fixtures/${name}`);
  return existsSync(path) ? path : undefined;
}
