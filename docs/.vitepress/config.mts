import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const docs = fileURLToPath(new URL('../.site/', import.meta.url));
const packages = [
  'padata', 'memblock', 'memmap', 'buddy-allocator', 'page-init', 'unaccepted-memory', 'firmware-map', 'bootmem', 'padata-nats',
].filter((name) => existsSync(`${docs}packages/${name}/index.md`));

const title = (file: string): string =>
  ({ index: 'Overview', design: 'Design and protocol', guide: 'Guide', results: 'Measurements' })[file] ??
  file.replaceAll('-', ' ').replace(/^./, (letter) => letter.toUpperCase());

/** Pages of one package, the overview first. */
const pages = (name: string): { text: string; link: string }[] =>
  readdirSync(`${docs}packages/${name}`)
    .map((file) => file.replace(/\.md$/, ''))
    .sort((a, b) => Number(b === 'index') - Number(a === 'index') || a.localeCompare(b))
    .map((file) => ({ text: title(file), link: `/packages/${name}/${file === 'index' ? '' : file}` }));

export default {
  title: 'bootmem',
  description: "Linux's memory bring-up as TypeScript packages on worker threads and shared memory",
  lastUpdated: false,
  cleanUrls: true,
  srcDir: '.site',
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Start', link: '/guide/getting-started' },
      { text: 'Architecture', link: '/architecture' },
      { text: 'Packages', link: '/packages/padata/' },
      { text: 'API', link: '/api/padata/' },
      { text: 'Live demo', link: '/demo/index.html', target: '_self' },
    ],
    sidebar: [
      {
        text: 'Guide',
        items: [
          { text: 'Getting started', link: '/guide/getting-started' },
          { text: "Your machine's memory", link: '/guide/kernel-and-cloud' },
          { text: 'Browsers', link: '/guide/browsers' },
          { text: 'Runtimes', link: '/guide/runtimes' },
          { text: 'Performance', link: '/guide/performance' },
          { text: 'Compared with the kernel', link: '/guide/compared-with-the-kernel' },
          { text: 'What is derived from what', link: '/guide/derivations' },
          { text: 'Variants without a kernel', link: '/guide/variants' },
          { text: 'Concurrency protocols', link: '/guide/concurrency' },
          { text: 'Architecture', link: '/architecture' },
          { text: 'Decisions', link: '/adr/' },
        ],
      },
      ...packages.map((name) => ({
        text: name,
        collapsed: true,
        items: [...pages(name), { text: 'API reference', link: `/api/${name}/` }],
      })),
    ],
  },
  markdown: { languageAlias: { console: 'shellsession' } },
};
