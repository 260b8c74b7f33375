/** The C program to compare with, compiled once per run with -O2; undefined where there is no compiler. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sample } from './samples.js';

/** A request to the program. */
export interface NativeRun {
  readonly mode: 'loop' | 'memset';
  readonly temperature: 'warm' | 'cold';
  readonly pages: number;
  readonly threads: number;
  readonly bytesPerPage: number;
  readonly repeats: number;
}

/** Runs the C program. */
export interface Native {
  run(request: NativeRun): Sample[];
  close(): void;
}

/** Compiles the program, if some C compiler is there. */
export function compileNative(): Native | undefined {
  const source = fileURLToPath(new URL('./page-loop.c', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'page-loop-'));
  const program = join(folder, 'page-loop');
  const compiler = [process.env['CC'], 'cc', 'gcc', 'clang'].find(
    (name) =>
      name !== undefined &&
      spawnSync(name, ['-O2', '-pthread', '-o', program, source], { stdio: 'ignore' }).status === 0,
  );
  if (compiler === undefined) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  return {
    run: ({ mode, temperature, pages, threads, bytesPerPage, repeats }) =>
      execFileSync(program, [
        mode,
        temperature,
        ...[pages, threads, bytesPerPage, repeats].map(String),
      ])
        .toString()
        .trim()
        .split('\n')
        .map((line) => {
          const [wall, cpu] = line.split(' ').map(Number);
          return { wallMs: wall!, cpuMs: cpu! };
        }),
    close: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
