// A package's modules in few pieces, for Node: a hundred small modules are slow to find, to read and to link, in a program and
// in each of its threads again.
//
//   the thread's file   what threads run, and what several entries have in common; threads start from it
//   the main entry      the rest of it
//   others              what is theirs alone
//
//   index ──▶ thread ◀── kernel, backend, worker …       kernel ──▶ index, for names that it exports
//
// So a program loads two files, each of its threads one, and every module is in one piece alone: its state and its classes are one.
import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

/** Files that threads start from, as these modules name them. */
function threadFiles(folder, modules) {
  const found = new Set();
  for (const module of modules) {
    const text = readFileSync(join(folder, module), 'utf8');
    for (const [, file] of text.matchAll(
      /new Worker\(new URL\('(\.\/[^']+)', import\.meta\.url\)/g,
    ))
      found.add(join(dirname(module), file));
  }
  return [...found];
}

/** @param folder with `dist`, where imports are looked for @param entries files of it, the main one first @param out where pieces go */
export async function makePieces(folder, entries, out) {
  const own = (path) => relative(folder, path).replaceAll('\\', '/');
  const options = {
    absWorkingDir: folder,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'error',
    metafile: true,
  };

  /** What these files are made of: file → its imports; those in `without` are left out. */
  const modulesOf = async (files, without = new Set()) => {
    const leaveOut = {
      name: 'leave-out',
      setup({ onResolve, resolve }) {
        onResolve({ filter: /^[.#]/ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
          if (importer === '' || pluginData === leaveOut) return undefined;
          const found = await resolve(path, { kind, importer, resolveDir, pluginData: leaveOut });
          return without.has(own(found.path)) ? { path, external: true } : found;
        });
      },
    };
    const { metafile } = await build({
      ...options,
      entryPoints: files,
      outdir: out,
      write: false,
      plugins: [leaveOut],
    });
    return new Map(Object.entries(metafile.inputs).map(([file, { imports }]) => [file, imports]));
  };

  /** Names that these modules export, by module. */
  const namesOf = async (modules) => {
    const { metafile } = await build({
      ...options,
      bundle: false,
      entryPoints: [...modules],
      outbase: folder,
      outdir: out,
      write: false,
    });
    const named = Object.values(metafile.outputs).map(({ entryPoint, exports }) => [
      entryPoint,
      exports,
    ]);
    return new Map(named);
  };

  const [main, ...others] = entries;
  const mainModules = await modulesOf([main]);
  const starts = threadFiles(folder, mainModules.keys());
  const [thread] = starts.map((file) => basename(file));
  const shared = new Set((await modulesOf(starts)).keys());
  // What the main entry has for itself, others take from it by the names that it exports.
  const offered = new Set(
    mainModules
      .get(main)
      .map(({ path }) => path)
      .filter((path) => !shared.has(path)),
  );
  for (const entry of others) {
    for (const module of (await modulesOf([entry], offered)).keys())
      if (mainModules.has(module) || shared.has(module)) shared.add(module);
  }
  const names = await namesOf(new Set([...shared, ...offered, main]));
  const marked = new Map([...shared].map((module, index) => [module, `m${index}_`]));
  const list = (module, mark, some = names.get(module)) =>
    some.map((name) => `${mark}${name} as ${name}`).join(', ');

  /** Imports of what is in another piece. */
  const elsewhere = (isMain) => ({
    name: 'elsewhere',
    setup({ onResolve, onLoad, resolve }) {
      onResolve({ filter: /^\./, namespace: 'elsewhere' }, ({ path }) => ({
        path,
        external: true,
      }));
      onResolve({ filter: /^[.#]/ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
        if (importer === '' || pluginData === 'asked') return undefined;
        const found = await resolve(path, { kind, importer, resolveDir, pluginData: 'asked' });
        const module = own(found.path);
        const isElsewhere = shared.has(module) || (!isMain && offered.has(module));
        return isElsewhere ? { path: module, namespace: 'elsewhere' } : found;
      });
      onLoad({ filter: /./, namespace: 'elsewhere' }, ({ path: module }) => {
        if (shared.has(module))
          return { contents: `export { ${list(module, marked.get(module))} } from './${thread}';` };
        const given = names.get(module).filter((name) => names.get(main).includes(name));
        return { contents: `export { ${given.join(', ')} } from './${basename(main)}';` };
      });
    },
  });
  const written = {
    ...options,
    charset: 'utf8',
    legalComments: 'none',
    // Names stay: they are what a stack tells.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 120,
    sourcemap: true,
    sourcesContent: false,
  };
  for (const entry of entries) {
    await build({
      ...written,
      entryPoints: [entry],
      outfile: join(out, basename(entry)),
      plugins: [elsewhere(entry === main)],
    });
  }
  // What no piece asks for need not be in it.
  const asked = new Set(
    entries.flatMap(
      (entry) =>
        readFileSync(join(folder, out, basename(entry)), 'utf8').match(/\bm\d+_\w+/g) ?? [],
    ),
  );
  const exported = [...shared].map((module) => {
    const some = names
      .get(module)
      .map((name) => [name, `${marked.get(module)}${name}`])
      .filter(([, name]) => asked.has(name));
    return some.length === 0
      ? ''
      : `export { ${some.map((pair) => pair.join(' as ')).join(', ')} } from './${module}';`;
  });
  const begins = starts.map((file) => `import './${file}';`);
  await build({
    ...written,
    stdin: {
      contents: [...exported, ...begins].join('\n'),
      resolveDir: folder,
      sourcefile: thread,
    },
    outfile: join(out, thread),
  });
}
