// A package's modules in few pieces, for Node: a hundred small modules are slow to find, to read and to link, in a program and
// in each of its threads again.
//
//   owner          all of the main entry, and what others have in common with it
//   main entry     its names ──▶ owner
//   other entries  what is theirs alone ──▶ owner
//   threads' file  all that threads run: they start from it; the entry for what runs there has its names from it
//
// So a program loads two files, each of its threads one. What both have (errors, times, layouts) is in both files: reading that twice costs
// less than linking one to the other. A program may load both (with the entry for threads), so modules that are in both keep what
// belongs to the thread with its globals, and know each other's errors.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

/** The piece of the thread that owns the others. */
const OWNER = 'owner.js';

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
  mkdirSync(join(folder, out), { recursive: true });
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

  /** Modules that these files are made of. */
  const modulesOf = async (files) => {
    const { metafile } = await build({ ...options, entryPoints: files, outdir: out, write: false });
    return new Set(Object.keys(metafile.inputs));
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
  const starts = threadFiles(folder, mainModules);
  const threadModules = await modulesOf(starts);
  /** It has something that threads alone run. */
  const runsThere = async (entry) =>
    [...(await modulesOf([entry]))].some(
      (module) => threadModules.has(module) && !mainModules.has(module),
    );
  const ofThreads = [];
  const ofOwner = [];
  for (const entry of others) ((await runsThere(entry)) ? ofThreads : ofOwner).push(entry);

  /** What entries beside the main one have in common with it. */
  const shared = new Set();
  for (const entry of ofOwner) {
    for (const module of await modulesOf([entry])) if (mainModules.has(module)) shared.add(module);
  }
  const names = await namesOf(new Set([...shared, ...entries]));
  const marked = new Map([...shared].map((module, index) => [module, `m${index}_`]));
  const list = (module, some = names.get(module)) =>
    some.map((name) => `${marked.get(module)}${name} as ${name}`).join(', ');
  const written = {
    ...options,
    charset: 'ascii',
    legalComments: 'none',
    // Names stay: they are what a stack tells.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 120,
    sourcemap: true,
    sourcesContent: false,
  };
  const write = (file, lines) =>
    build({
      ...written,
      stdin: { contents: lines.join('\n'), resolveDir: folder, sourcefile: file },
      outfile: join(out, file),
    });
  /** Writes an entry whose modules are all in another piece. */
  const writeNames = (entry, piece) => {
    writeFileSync(
      join(folder, out, basename(entry)),
      `export{${names.get(entry).join(',')}}from"./${piece}";\n`,
    );
  };

  const elsewhere = {
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
        return shared.has(module) ? { path: module, namespace: 'elsewhere' } : found;
      });
      onLoad({ filter: /./, namespace: 'elsewhere' }, ({ path: module }) => ({
        contents: `export { ${list(module)} } from './${OWNER}';`,
      }));
    },
  };
  for (const entry of ofOwner) {
    await build({
      ...written,
      entryPoints: [entry],
      outfile: join(out, basename(entry)),
      plugins: [elsewhere],
    });
  }
  // What no piece asks for need not be named.
  const asked = new Set(
    ofOwner.flatMap(
      (entry) =>
        readFileSync(join(folder, out, basename(entry)), 'utf8').match(/\bm\d+_\w+/g) ?? [],
    ),
  );
  const offers = [...shared].map((module) => {
    const some = names
      .get(module)
      .map((name) => [name, `${marked.get(module)}${name}`])
      .filter(([, name]) => asked.has(name));
    return some.length === 0
      ? ''
      : `export { ${some.map((pair) => pair.join(' as ')).join(', ')} } from './${module}';`;
  });
  await write(OWNER, [`export * from './${main}';`, ...offers]);
  writeNames(main, OWNER);
  const [thread] = starts.map((file) => basename(file));
  const all = (files, how) => files.map((file) => `${how} './${file}';`);
  await write(thread, [...all(ofThreads, 'export * from'), ...all(starts, 'import')]);
  for (const entry of ofThreads) writeNames(entry, thread);
}
