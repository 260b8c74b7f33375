// `npm run docs`: API reference from the docstrings, package documents as pages, then the site into
// docs/.vitepress/dist. Needs no network. A dead link fails the build.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PACKAGES, asPage, packagePages, root } from './pages.mjs';

for (const folder of ['docs/api', 'docs/packages'])
  rmSync(join(root, folder), { recursive: true, force: true });

for (const [source, page] of packagePages) {
  mkdirSync(dirname(join(root, page)), { recursive: true });
  writeFileSync(join(root, page), asPage(source, page));
}
for (const name of PACKAGES) {
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/typedoc/bin/typedoc'),
      '--plugin',
      'typedoc-plugin-markdown',
      '--out',
      `docs/api/${name}`,
      '--entryPoints',
      `packages/${name}/src/index.ts`,
      '--tsconfig',
      `packages/${name}/tsconfig.lib.json`,
      '--name',
      name,
      '--readme',
      'none',
      '--router',
      'module',
      '--hideBreadcrumbs',
      'true',
      '--disableSources',
      '--excludeInternal',
      '--excludePrivate',
      '--logLevel',
      'Error',
      '--entryFileName',
      'index',
    ],
    { cwd: root, stdio: 'inherit' },
  );
}
if (existsSync(join(root, 'docs/demo'))) {
  mkdirSync(join(root, 'docs/public'), { recursive: true });
  cpSync(join(root, 'docs/demo'), join(root, 'docs/public/demo'), { recursive: true });
}
execFileSync(
  process.execPath,
  [join(root, 'node_modules/vitepress/bin/vitepress.js'), 'build', 'docs'],
  { cwd: root, stdio: 'inherit' },
);
