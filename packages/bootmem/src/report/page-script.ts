/**
 * The script of the report's page: one file, bundled from `page/` with the plotting library when the package is
 * built. A checkout that was only compiled has none yet; it is made then.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BootmemError } from '../errors.js';

const BUNDLE = fileURLToPath(new URL('../../dist/report/page.js', import.meta.url));
const BUILDER = fileURLToPath(new URL('../../page/bundle.mjs', import.meta.url));

/**
 * Reads the script.
 * @returns JavaScript source, about 0.3 MB
 * @throws BootmemError ERR_BOOTMEM_READ when it is neither there nor can be made
 */
export async function pageScript(): Promise<string> {
  try {
    if (!existsSync(BUNDLE)) await promisify(execFile)(process.execPath, [BUILDER]);
    return await readFile(BUNDLE, 'utf8');
  } catch (error) {
    throw new BootmemError(
      'ERR_BOOTMEM_READ',
      "the script of the report's page is missing; npm run build makes it",
      { path: BUNDLE },
      { cause: error },
    );
  }
}
