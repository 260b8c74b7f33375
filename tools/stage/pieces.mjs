// A package's modules in few pieces, for Node: a hundred small modules are slow to find, to read and to link, in a program and
// in each of its threads again.
//
//   main entry     all of its modules, and what others have in common with it
//   late           of that, what only one module leads to, if the package names it: read when a function of it is called first
//   other entries  what is theirs alone ──▶ main entry ──▶ late
//   threads' file  all that threads run: they start from it; the entry for what runs there has its names from it
//
// The threads' file is CommonJS: Node starts a thread from that some milliseconds sooner than from an ES module.
//
// So a program loads two files, each of its threads one. What both have (errors, times, layouts) is in both files: reading
// that twice costs less than linking one to the other. A program may load both (with the entry for threads), so modules that are in
// both keep what belongs to the thread with its globals, and know each other's errors.
//
// The late piece is CommonJS, as only `require` reads at once. It is given the modules of the main entry that it needs: there is one
// of each. Other entries need some that are no names of the main entry: these hang on one of its names, by a symbol that says of
// which build they are. A file of their own for them would have to be found and read before the first thread is started.
//
// Pieces are read at different times, and between two of them the package may be installed anew. So they are named by what the build
// is made of (`late-1f2e3d4c.cjs`): one of another build is not there, where it would be taken for what it is not.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { build } from 'esbuild';
import { ModuleGraph } from './module-graph.mjs';

const LATE = 'late.cjs';
/** What CommonJS cannot say: the address of a module by its name. */
const RESOLVE = 'resolve.js';

const FOR_NODE = { format: 'esm', platform: 'node', target: 'node20.19', logLevel: 'error' };
const WRITTEN = {
  ...FOR_NODE,
  bundle: true,
  charset: 'ascii',
  legalComments: 'none',
  // Names stay: they are what a stack tells.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 120,
  sourcemap: true,
  sourcesContent: false,
};

const STARTS = /(?<=new Worker\(new URL\('\.\/)[^']+(?=', import\.meta\.url\))/g;

/** Files that threads start from, as these modules name them. */
function threadFiles(folder, modules) {
  const found = new Set();
  for (const module of modules) {
    const text = readFileSync(join(folder, module), 'utf8');
    for (const [file] of text.matchAll(STARTS)) found.add(join(dirname(module), file));
  }
  return [...found];
}

/** The piece that is made of a file that threads start from. */
const pieceOf = (start) => basename(start).replace(/\.js$/, '.cjs');

/** Starts threads from pieces. @param named how these are named */
const startsPieces = (named) => ({
  name: 'starts-pieces',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/, namespace: 'file' }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(STARTS, (file) => named(pieceOf(file))),
      loader: 'js',
    }));
  },
});

const LOOP = 'for(var name in all)__defProp(target,name,{get:all[name],enumerable:!0})';
const OWN_LOOP = 'for(var k of Object.keys(all))__defProp(target,k,{get:all[k],enumerable:!0})';

/** What esbuild names the exports of CommonJS by takes whatever a program has added to `Object.prototype` for one of them. */
function ownNamesOnly(file) {
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(LOOP, OWN_LOOP));
}

/** Names of the pieces of a build. */
const namesOf = (build) => (file) => {
  const ending = extname(file);
  return `${basename(file, ending)}-${build}${ending}`;
};

/** What all files of a folder are made of, in so many characters. */
function digest(folder, length) {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder).sort()) {
    hash.update(`${file}\n`);
    hash.update(readFileSync(join(folder, file)));
  }
  return hash.digest('hex').slice(0, length);
}

const difference = (all, some) => new Set([...all].filter((one) => !some.has(one)));
const intersection = (all, some) => new Set([...all].filter((one) => some.has(one)));
const union = (sets) => new Set(sets.flatMap((set) => [...set]));

/**
 * @param folder with `dist`, where imports are looked for @param entries files of it, the main one first @param out where pieces go
 * @param late module whose functions, and all that it alone leads to, are read when one of them is called; undefined = none
 */
export async function makePieces(folder, entries, out, late) {
  const at = join(folder, out);
  // What a build is made of is known when it is made, so it is made twice. Names of one length break lines alike.
  const unknown = '0'.repeat(8);
  await makeBuild(folder, entries, out, late, namesOf(unknown));
  const build = digest(at, unknown.length);
  rmSync(at, { recursive: true });
  await makeBuild(folder, entries, out, late, namesOf(build));
}

/** `makePieces` with given names. */
async function makeBuild(folder, entries, out, late, named) {
  mkdirSync(join(folder, out), { recursive: true });
  const latePiece = named(LATE);
  const graph = new ModuleGraph(folder, FOR_NODE);
  const [main, ...others] = entries;
  const mainModules = await graph.reach([main]);
  const early = await graph.reach([main], late);
  const starts = threadFiles(folder, mainModules);
  const threadModules = await graph.reach(starts);
  const ofThreads = [];
  const ofOwner = [];
  /** What entries beside the main one have in common with it. */
  const shared = new Set();
  for (const entry of others) {
    const modules = await graph.reach([entry]);
    const inThreads = intersection(difference(modules, mainModules), threadModules);
    (inThreads.size > 0 ? ofThreads : ofOwner).push(entry);
    if (inThreads.size === 0) for (const one of intersection(modules, mainModules)) shared.add(one);
  }
  const names = await graph.exportsOf(union([entries, mainModules]));
  const marks = new Map([...shared].map((module, index) => [module, `m${index}_`]));
  const marked = (module) => names.get(module).map((name) => [name, `${marks.get(module)}${name}`]);
  const all = (files, how) => files.map((file) => `${how} './${file}';`);
  const write = async (file, lines, more) => {
    await build({
      ...WRITTEN,
      absWorkingDir: folder,
      stdin: { contents: lines.join('\n'), resolveDir: folder, sourcefile: file },
      outfile: join(out, file),
      ...more,
    });
    ownNamesOnly(join(folder, out, file));
  };
  /** Writes an entry whose modules are all in another piece. */
  const writeNames = (entry, piece) => {
    writeFileSync(
      join(folder, out, basename(entry)),
      `export{${names.get(entry).join(',')}}from"./${piece}";\n`,
    );
  };

  // Other entries have from the main one what is there, and through it what is late.
  const elsewhere = graph.replaces('elsewhere', (module) => {
    if (!shared.has(module)) return undefined;
    const pairs = marked(module);
    const taken = pairs.map(([name, mark]) => `export const ${name} = modules.${mark};`);
    const modules = early.has(module) ? 'shared()' : 'shared().late()';
    return [`import { shared } from '#shared';`, `const modules = ${modules};`, ...taken].join(
      '\n',
    );
  });
  const [host] = names.get(main);
  const key = `Symbol.for('${named('shared')}')`;
  // As if each build had a file of that name.
  const gone = `Object.assign(new Error('the package was replaced while the program runs'), { code: 'ERR_MODULE_NOT_FOUND' })`;
  const ofMain = `import { ${host} as host } from './${basename(main)}';
export function shared() {
  const modules = host[${key}];
  if (modules === undefined) throw ${gone};
  return modules;
}`;
  const fromMain = {
    name: 'main',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^#shared$/ }, ({ path }) => ({ path, namespace: 'main' }));
      onResolve({ filter: /./, namespace: 'main' }, ({ path }) => ({ path, external: true }));
      onLoad({ filter: /./, namespace: 'main' }, () => ({ contents: ofMain }));
    },
  };
  for (const entry of ofOwner) {
    await build({
      ...WRITTEN,
      absWorkingDir: folder,
      entryPoints: [entry],
      outfile: join(out, basename(entry)),
      plugins: [fromMain, elsewhere],
    });
  }
  // What no piece asks for need not be named.
  const texts = ofOwner.map((entry) => readFileSync(join(folder, out, basename(entry)), 'utf8'));
  const asked = new Set(texts.flatMap((text) => text.match(/\bm\d+_\w+/g) ?? []));
  const marksOf = (some) =>
    [...intersection(shared, some)].flatMap((module) =>
      marked(module)
        .filter(([, mark]) => asked.has(mark))
        .map(([name, mark]) => ({ module, name, mark })),
    );
  /** The main entry, and what hangs on it for others. */
  const offering = (more) => {
    const offered = marksOf(early);
    return [
      `export * from './${main}';`,
      `import { ${host} as host } from './${main}';`,
      ...offered.map(
        ({ module, name, mark }) => `import { ${name} as ${mark} } from './${module}';`,
      ),
      ...more.map((name) => `import { ${name} } from './${late}';`),
      `Object.defineProperty(host, ${key}, { value: { ${[...offered.map(({ mark }) => mark), ...more].join(', ')} } });`,
    ];
  };
  const writeMain = async (more, plugins) => {
    await write(basename(main), offering(more), { plugins: [...plugins, startsPieces(named)] });
  };
  if (late === undefined) await writeMain([], []);
  else {
    const lines = [
      `export * from './${late}';`,
      ...marksOf(difference(mainModules, early)).map(
        ({ module, name, mark }) => `export { ${name} as ${mark} } from './${module}';`,
      ),
    ];
    /** All that it may ask for, by number: lines are broken within texts. */
    const offered = [...early].flatMap((module) =>
      names.get(module).map((name) => ({ module, name })),
    );
    const fromEarly = graph.replaces('early', (module) => {
      if (!early.has(module)) return undefined;
      // Calls without effects: what is not used is left out.
      return offered
        .map((one, id) => [one, id])
        .filter(([one]) => one.module === module)
        .map(([{ name }, id]) => `export const ${name} = /* @__PURE__ */ early(${id});`)
        .join('\n');
    });
    await write(latePiece, lines, {
      format: 'cjs',
      plugins: [fromEarly],
      // In parentheses: it is called at once, so V8 is not to read it twice.
      banner: { js: '"use strict";module.exports=(function(early){const module={};' },
      footer: { js: 'return module.exports});' },
    });
    const text = readFileSync(join(folder, out, latePiece), 'utf8');
    const taken = new Set([...text.matchAll(/\bearly\(\s*(\d+)/g)].map(([, id]) => Number(id)));
    const stub = graph.replaces('late', (module) => {
      if (module !== late) return undefined;
      return [
        `import { createRequire } from 'node:module';`,
        ...[...taken].map((id) => {
          const { name, module: from } = offered[id];
          return `import { ${name} as e${id} } from './${from}';`;
        }),
        `const early = () => ({ ${[...taken].map((id) => `${id}: e${id}`).join(', ')} });`,
        `let modules;`,
        `const read = (url, given) => createRequire(url)('./${latePiece}')((id) => given[id]);`,
        // What copies the files that a program needs, or bundles them, looks for such a URL where something is called with it.
        `export const late = () => (modules ??= read(new URL('./${latePiece}', import.meta.url), early()));`,
        ...names
          .get(late)
          .map((name) => `export const ${name} = (...given) => late().${name}(...given);`),
      ].join('\n');
    });
    await writeMain(['late'], [stub]);
  }
  const [thread] = starts.map((start) => named(pieceOf(start)));
  const resolve = named(RESOLVE);
  await write(thread, [...all(ofThreads, 'export * from'), ...all(starts, 'import')], {
    format: 'cjs',
    define: { 'import.meta.resolve': 'resolve' },
    banner: {
      js: `"use strict";const resolve=(name)=>import("./${resolve}").then((it)=>it.resolve(name));`,
    },
  });
  writeFileSync(
    join(folder, out, resolve),
    'export const resolve=(name)=>import.meta.resolve(name);\n',
  );
  for (const entry of ofThreads) writeNames(entry, thread);
}
