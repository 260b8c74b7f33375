// What a package's modules are made of and offer, as esbuild finds it. Modules are named by their path below the package's folder.
import { relative } from 'node:path';
import { build } from 'esbuild';

/** Modules of the package in `folder`. */
export class ModuleGraph {
  #folder;
  #options;

  /** @param options of esbuild, for all that is asked */
  constructor(folder, options) {
    this.#folder = folder;
    this.#options = {
      ...options,
      absWorkingDir: folder,
      metafile: true,
      write: false,
      outdir: '.',
    };
  }

  /** The name of a file that is a module. */
  nameOf(path) {
    return relative(this.#folder, path).replaceAll('\\', '/');
  }

  /** Modules that these lead to, themselves included. @param without this one, and what it alone leads to, are left out */
  async reach(modules, without) {
    const { metafile } = await build({ ...this.#options, bundle: true, entryPoints: modules });
    const found = new Set();
    const add = (module) => {
      if (module === without || found.has(module)) return;
      found.add(module);
      for (const { path, external } of metafile.inputs[module].imports) if (!external) add(path);
    };
    for (const module of modules) add(module);
    return found;
  }

  /** Names that these modules export, by module. */
  async exportsOf(modules) {
    const { metafile } = await build({
      ...this.#options,
      bundle: false,
      entryPoints: [...modules],
      outbase: this.#folder,
    });
    const named = Object.values(metafile.outputs).map(({ entryPoint, exports }) => [
      entryPoint,
      exports,
    ]);
    return new Map(named);
  }

  /** What a plugin puts in the place of modules. @param contents of a module: text, or undefined = it stays as it is */
  replaces(name, contents) {
    return {
      name,
      setup: ({ onResolve, onLoad, resolve }) => {
        // What stands in a replaced module is found from the package's folder, and is the module itself.
        onResolve({ filter: /^[.#]/ }, async ({ path, importer, kind, resolveDir, ...of }) => {
          if (importer === '' || of.namespace === name || of.pluginData === 'asked')
            return undefined;
          const found = await resolve(path, { kind, importer, resolveDir, pluginData: 'asked' });
          const module = this.nameOf(found.path);
          return contents(module) === undefined ? found : { path: module, namespace: name };
        });
        onLoad({ filter: /./, namespace: name }, ({ path: module }) => ({
          contents: contents(module),
          resolveDir: this.#folder,
        }));
      },
    };
  }
}
