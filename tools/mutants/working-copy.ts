/**
 * A copy of the repository in a temporary folder, in which a package is broken and tested: the working tree is never
 * touched, so there is nothing to restore in it, whatever happens to this program.
 *
 * ```
 *   copied: files that git knows or does not ignore, every package's dist
 *   linked: node_modules; its names of this workspace lead to the copy
 * ```
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The copy of one repository. */
export class WorkingCopy {
  readonly root: string;

  /** @param source root of the repository; what it needs must be built */
  constructor(source: string) {
    this.root = mkdtempSync(join(tmpdir(), 'bootmem-mutants-'));
    // What tests leave behind when they are stopped goes with the rest.
    mkdirSync(join(this.root, 'tmp'));
    for (const file of filesOf(source)) this.#copy(source, file);
    for (const dir of readdirSync(join(source, 'packages'))) {
      this.#copy(source, `packages/${dir}/dist`);
      this.#linkModules(source, `packages/${dir}/node_modules`);
    }
    this.#linkModules(source, 'node_modules');
  }

  /** Removes it from the disk. */
  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Runs `work` while a file says something else. */
  async changed<T>(
    file: string,
    edit: (text: string) => string,
    work: () => T,
  ): Promise<Awaited<T>> {
    const path = join(this.root, file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, edit(text));
    try {
      return await work();
    } finally {
      // An interrupted program has removed the copy.
      if (existsSync(path)) writeFileSync(path, text);
    }
  }

  #copy(source: string, file: string): void {
    const from = join(source, file);
    if (!existsSync(from)) return;
    mkdirSync(dirname(join(this.root, file)), { recursive: true });
    cpSync(from, join(this.root, file), { recursive: true, preserveTimestamps: true });
  }

  /** A folder of links to what is in this one; links of it that are relative lead into the copy. */
  #linkModules(source: string, folder: string): void {
    const from = join(source, folder);
    if (!existsSync(from)) return;
    mkdirSync(join(this.root, folder), { recursive: true });
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const name = `${folder}/${entry.name}`;
      if (entry.isSymbolicLink())
        symlinkSync(readlinkSync(join(source, name)), join(this.root, name));
      else if (entry.name.startsWith('@') || entry.name === '.bin') this.#linkModules(source, name);
      else symlinkSync(join(source, name), join(this.root, name));
    }
  }
}

function filesOf(source: string): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd: source,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`git ls-files: ${stderr}`);
  return stdout.split('\0').filter((file) => file !== '');
}
