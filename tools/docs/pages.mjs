// Which Markdown files make up the documentation, and how a package's own documents become pages of the site.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join, relative, resolve } from 'node:path';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Folders of the public packages, in the order of a boot. */
export const PACKAGES = [
  'padata',
  'memblock',
  'memmap',
  'buddy-allocator',
  'page-init',
  'unaccepted-memory',
  'firmware-map',
  'bootmem',
  'padata-nats',
].filter((name) => existsSync(join(root, 'packages', name, 'README.md')));

const PARTS = [
  ['README.md', 'index.md'],
  ['DESIGN.md', 'design.md'],
  ['GUIDE.md', 'guide.md'],
  ['bench/RESULTS.md', 'results.md'],
];

/** Source path → page path of every package document, both relative to the repository. */
export const packagePages = new Map(
  PACKAGES.flatMap((name) => [
    ...PARTS.map(([source, page]) => [
      `packages/${name}/${source}`,
      `docs/packages/${name}/${page}`,
    ]),
    ...(existsSync(join(root, 'packages', name, 'docs'))
      ? readdirSync(join(root, 'packages', name, 'docs'))
          .filter((file) => file.endsWith('.md'))
          .map((file) => [
            `packages/${name}/docs/${file}`,
            `docs/packages/${name}/${file.toLowerCase()}`,
          ])
      : []),
  ]).filter(([source]) => existsSync(join(root, source))),
);

/** Every Markdown file a reader meets: the root's, docs/ and the packages'. */
export function documents() {
  const own = (folder) =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory())
        return entry.name.startsWith('.') || path === 'docs/api' || path === 'docs/packages'
          ? []
          : own(path);
      return path.endsWith('.md') ? [path] : [];
    });
  return ['README.md', 'CONTRIBUTING.md', ...own('docs'), ...packagePages.keys()];
}

/**
 * The text of a package document as a page: links to other documents follow them to their pages, links to
 * anything else in the repository become plain text in code style, and pictures point to the repository's files.
 */
export function asPage(source, page) {
  const here = dirname(join(root, source));
  return readFileSync(join(root, source), 'utf8').replace(
    /(!?)\[([^\]]*)\]\(([^)\s]+)\)/g,
    (whole, image, text, target) => {
      if (/^[a-z]+:|^#/.test(target)) return whole;
      const [path, anchor = ''] = target.split('#');
      const full = relative(root, resolve(here, path)).replaceAll('\\', '/');
      const mapped =
        packagePages.get(full) ??
        (full.startsWith('docs/') && full.endsWith('.md') ? full : undefined);
      const to = (file) =>
        relative(dirname(join(root, page)), join(root, file))
          .replaceAll('\\', '/')
          .replace(/^(?!\.)/, './');
      if (image) return `![${text}](${to(full)})`;
      if (mapped === undefined) return text.startsWith('`') ? text : `${text} (\`${full}\`)`;
      return `[${text}](${to(mapped)}${anchor && `#${anchor}`})`;
    },
  );
}
