// `npm run docs`: every document as a page, the API reference from the docstrings, then the site into
// docs/.vitepress/dist. Needs no network. A dead link fails the build.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'vite';
import { PACKAGES, SITE, asPage, pages, root } from './pages.mjs';

const site = join(root, SITE);
rmSync(site, { recursive: true, force: true });
for (const [source, page] of pages) {
  mkdirSync(dirname(join(site, page)), { recursive: true });
  writeFileSync(join(site, page), asPage(source));
}
for (const name of PACKAGES) {
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/typedoc/bin/typedoc'),
      ...['--plugin', 'typedoc-plugin-markdown', '--out', `${SITE}/api/${name}`],
      ...[
        '--entryPoints',
        `packages/${name}/src/index.ts`,
        '--tsconfig',
        `packages/${name}/tsconfig.lib.json`,
      ],
      ...['--name', name, '--readme', 'none', '--router', 'module', '--entryFileName', 'index'],
      ...['--hideBreadcrumbs', 'true', '--disableSources', '--excludeInternal', '--excludePrivate'],
      ...['--logLevel', 'Error'],
    ],
    { cwd: root, stdio: 'inherit' },
  );
}
await build({
  configFile: join(root, 'docs/demo/vite.config.mjs'),
  build: { outDir: join(site, 'public/demo') },
});
try {
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/vitepress/bin/vitepress.js'), 'build', 'docs'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
} catch {
  process.exitCode = 1;
}
