// A disk of a few MiB that can be filled: a file system in memory, mounted where only processes of its own see it. Needs Linux with
// user namespaces (`unshare -Urm`); where there are none, there is no disk.
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk, as long as its process lives. */
export class SmallDisk {
  #holder;

  constructor(holder, folder) {
    this.#holder = holder;
    this.folder = folder;
  }

  /** A new, empty one; undefined where it cannot be had. */
  static async make(bytes) {
    const folder = mkdtempSync(join(tmpdir(), 'small-disk-'));
    const script = `mount -t tmpfs -o size=${bytes} none "$0" && echo made && exec sleep infinity`;
    const holder = spawn('unshare', ['-Urm', 'sh', '-c', script, folder], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const isMade = await new Promise((resolve) => {
      holder.on('error', () => resolve(false));
      holder.on('exit', () => resolve(false));
      holder.stdout.on('data', () => resolve(true));
    });
    if (isMade) return new SmallDisk(holder, folder);
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }

  /** What starts a program that sees the disk; its process is the program's own. */
  command(program, args) {
    const enter = ['-t', String(this.#holder.pid), '-U', '-m', '--preserve-credentials'];
    return ['nsenter', [...enter, program, ...args]];
  }

  get #seen() {
    return `/proc/${this.#holder.pid}/root${this.folder}`;
  }

  /** Leaves no byte; what others take away meanwhile makes room again. */
  fill() {
    for (let size = 2 ** 20; size >= 1; size = Math.floor(size / 8)) {
      try {
        for (;;) appendFileSync(join(this.#seen, 'filler'), Buffer.alloc(size));
      } catch (error) {
        if (error.code !== 'ENOSPC') throw error;
      }
    }
  }

  /** Takes away what `fill` wrote. */
  free() {
    rmSync(join(this.#seen, 'filler'), { force: true });
  }

  /** The disk is gone when the last process that sees it ends. */
  async close() {
    const gone = new Promise((resolve) => this.#holder.once('exit', resolve));
    this.#holder.kill('SIGKILL');
    await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
