// Which Markdown files make up the documentation, and how each becomes a page of the site. Documents link to each
// other by their paths in the repository, so they work where they lie; the site is built from a rewritten copy.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join, relative, resolve } from 'node:path';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where the site's sources are generated; ignored by git. */
export const SITE = 'docs/.site';

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

const markdownUnder = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name.startsWith('.') ? [] : markdownUnder(path);
    return path.endsWith('.md') ? [path] : [];
  });

const packageDocuments = PACKAGES.flatMap((name) => {
  const here = `packages/${name}`;
  const pages = [
    ['README.md', 'index.md'],
    ['DESIGN.md', 'design.md'],
    ['GUIDE.md', 'guide.md'],
    ['RESULTS.md', 'results.md'],
  ].map(([source, page]) => [`${here}/${source}`, `${here}/${page}`]);
  const more = existsSync(join(root, here, 'docs')) ? markdownUnder(`${here}/docs`) : [];
  return [...pages, ...more.map((source) => [source, source.replace('/docs/', '/').toLowerCase()])];
}).filter(([source]) => existsSync(join(root, source)));

/** Source path in the repository → page path on the site. */
export const pages = new Map([
  ...markdownUnder('docs').map((source) => [source, source.slice('docs/'.length)]),
  ...packageDocuments,
  ['CONTRIBUTING.md', 'contributing.md'],
]);

/** Every Markdown file a reader meets. */
export const documents = () => ['README.md', ...pages.keys()];

/**
 * The text of a document as a page: links to other documents lead to their pages; links to anything else in the
 * repository become plain text that names the file.
 */
export function asPage(source) {
  const here = dirname(source);
  const page = pages.get(source);
  return readFileSync(join(root, source), 'utf8').replace(
    /(!?)\[([^\]]*)\]\(([^)\s]+)\)/g,
    (whole, image, text, target) => {
      if (/^[a-z]+:|^[#/]/.test(target)) return whole;
      const [path, anchor = ''] = target.split('#');
      const file = relative(root, resolve(root, here, path)).replaceAll('\\', '/');
      if (image) {
        const picture = relative(join(root, SITE, dirname(page)), join(root, file));
        return `![${text}](${picture.replaceAll('\\', '/')})`;
      }
      const candidate =
        pages.get(file) ??
        pages.get(`${file}/README.md`) ??
        pages.get(`${file.replace(/\/$/, '')}/index.md`);
      if (candidate === undefined) return text.startsWith('`') ? text : `${text} (\`${file}\`)`;
      const link = relative(dirname(page), candidate).replaceAll('\\', '/');
      return `[${text}](${link.startsWith('.') ? link : `./${link}`}${anchor && `#${anchor}`})`;
    },
  );
}
