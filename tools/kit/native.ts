/** Native programs to compare with, compiled once per run; without a compiler they are left out. */
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

/** Tries the compilers in turn; undefined when none of them makes the program. */
function compile(
  compilers: readonly (string | undefined)[],
  source: URL,
  args: readonly string[],
  libraries: readonly string[],
): NativeProgram | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'bootmem-native-'));
  const path = join(folder, 'program');
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  const all = [...args, '-o', path, fileURLToPath(source), ...libraries.map((name) => `-l${name}`)];
  const compiled = compilers.some(
    (name) => name !== undefined && spawnSync(name, all, { stdio: 'ignore' }).status === 0,
  );
  if (compiled) return { path, remove };
  remove();
  return undefined;
}

/**
 * Compiles a C file with -O2 by the first compiler that is there: $CC, cc, gcc, clang.
 * @returns undefined where there is none
 */
export function compileC(source: URL): NativeProgram | undefined {
  return compile([process.env['CC'], 'cc', 'gcc', 'clang'], source, ['-O2', '-pthread'], []);
}

/**
 * Compiles a C++17 file with -O2 by the first compiler that can: $CXX, c++, g++, clang++.
 * @param libraries  to link with, without `lib`
 * @returns undefined where there is no compiler, or not the libraries
 */
export function compileCpp(source: URL, libraries: readonly string[]): NativeProgram | undefined {
  const compilers = [process.env['CXX'], 'c++', 'g++', 'clang++'];
  return compile(compilers, source, ['-O2', '-std=c++17', '-pthread'], libraries);
}
