/**
 * What happens to the files of an input while it is read: they go, grow, shrink, become something else, between any two turns
 * of the event loop.
 */
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Random } from '../../../kit/random.mjs';
import { content } from './contents.js';
import { makePipe } from './targets.js';

const { O_APPEND, O_CREAT, O_NONBLOCK, O_TRUNC, O_WRONLY } = constants;
/** It may be a pipe by then, which nobody reads: no wait for that. */
function write(path: string, flag: number, text: string | Uint8Array): void {
  const file = openSync(path, O_WRONLY | O_CREAT | O_NONBLOCK | flag);
  try {
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}

/** Most that is done to the files of one input. */
const MOST_STEPS = 12;

const instead = (path: string, make: () => void): void => {
  rmSync(path, { recursive: true, force: true });
  make();
};

function step(folder: string, random: Random): void {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const path = join(folder, random.pick(['.', ...names]));
  switch (random.below(12)) {
    case 0:
    case 1:
      rmSync(path, { recursive: true, force: true });
      return;
    case 2:
      truncateSync(path, random.below(2000));
      return;
    case 3:
      truncateSync(path, 0);
      return;
    case 4:
      write(path, O_APPEND, content(random));
      return;
    case 5:
      write(path, O_TRUNC, content(random));
      return;
    case 6:
      renameSync(path, `${path}.gone`);
      return;
    case 7:
      instead(path, () => {
        mkdirSync(path);
      });
      return;
    case 8:
      instead(path, () => {
        symlinkSync(path, path);
      });
      return;
    case 9:
      instead(path, () => {
        makePipe(path);
      });
      return;
    case 10:
      instead(path, () => {
        symlinkSync(random.pick(['/dev/null', '/proc/self/mem', '/dev/tty', '/dev/kmsg']), path);
      });
      return;
    default:
      instead(path, () => {
        symlinkSync(join(folder, random.pick(['.', ...names])), path);
      });
  }
}

/** Mischief that goes on. */
export interface Mischief {
  /** Ends it. */
  readonly stop: () => Promise<void>;
}

/**
 * Begins.
 * @param folder  of the input
 * @param random  its own: how far the command is at each step is not known
 */
export function mischief(folder: string, random: Random): Mischief {
  const state = { isOver: false };
  const going = (async () => {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      for (let turns = random.below(random.pick([3, 30, 300])); turns > 0 && !state.isOver; turns--)
        await setImmediate();
      if (state.isOver) return;
      try {
        step(folder, random);
      } catch {
        // It was something else by then.
      }
    }
  })();
  return {
    async stop() {
      state.isOver = true;
      await going;
    },
  };
}
