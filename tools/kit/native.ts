/** C programs to compare with, compiled once per run; without a compiler they are left out. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A compiled program. */
export interface NativeProgram {
  readonly path: string;
  /** Removes it from the disk. */
  remove(): void;
}

/**
 * Compiles a C file with -O2 by the first compiler that is there: $CC, cc, gcc, clang.
 * @returns undefined where there is none
 */
export function compileC(source: URL): NativeProgram | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'bootmem-native-'));
  const path = join(folder, 'program');
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  const args = ['-O2', '-pthread', '-o', path, fileURLToPath(source)];
  const compiled = [process.env['CC'], 'cc', 'gcc', 'clang'].some(
    (name) => name !== undefined && spawnSync(name, args, { stdio: 'ignore' }).status === 0,
  );
  if (compiled) return { path, remove };
  remove();
  return undefined;
}
