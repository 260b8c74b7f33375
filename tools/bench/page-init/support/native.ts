/** The C program to compare with: a loop over 64-byte descriptors, and memset of our bytes. */
import { execFileSync } from 'node:child_process';
import { compileC } from '../../../kit/native.js';
import type { Times } from '../../../kit/stopwatch.js';

/** A request to the program. */
interface NativeRun {
  readonly mode: 'loop' | 'memset';
  readonly temperature: 'warm' | 'cold';
  readonly pages: number;
  readonly threads: number;
  readonly bytesPerPage: number;
  readonly repeats: number;
}

/** Runs the C program. */
export interface Native {
  run(request: NativeRun): Times[];
  close(): void;
}

/** Compiles the program, if some C compiler is there. */
export function compileNative(): Native | undefined {
  const program = compileC(new URL('./page-loop.c', import.meta.url));
  if (program === undefined) return undefined;
  return {
    run: ({ mode, temperature, pages, threads, bytesPerPage, repeats }) => {
      const numbers = [pages, threads, bytesPerPage, repeats].map(String);
      const output = execFileSync(program.path, [mode, temperature, ...numbers]).toString();
      return output
        .trim()
        .split('\n')
        .map((line) => {
          const [wallMs, cpuMs] = line.split(' ').map(Number);
          return { wallMs: wallMs!, cpuMs: cpuMs! };
        });
    },
    close: () => {
      program.remove();
    },
  };
}
