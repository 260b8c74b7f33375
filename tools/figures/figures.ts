/**
 * `npm run figures`: fills the blocks of measured figures in the documents from docs/figures; with `--check` it
 * fails when one of them differs, because somebody changed it by hand or measured anew.
 *
 *   <!-- figures: headline -->
 *   … written by this program …
 *   <!-- /figures -->
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { documents } from '../docs/pages.mjs';
import { flag, readOptions } from '../kit/options.js';
import { headline } from './headline.js';
import * as packages from './packages.js';

const BLOCKS: Readonly<Record<string, () => string>> = {
  headline,
  padata: packages.padata,
  'padata-nats': packages.padataNats,
  memblock: packages.memblock,
  'buddy, large': packages.buddyLarge,
  'buddy, small': packages.buddySmall,
  'page-init': packages.pageInit,
  'page-init, first allocation': packages.firstAllocation,
  'unaccepted, designs': packages.unacceptedDesigns,
  'unaccepted, paced': packages.unacceptedPaced,
  'unaccepted, first allocation': packages.unacceptedFirst,
  'firmware-map': packages.firmwareMap,
};
const BLOCK = /(<!-- figures: (.+?) -->\n)[\s\S]*?(<!-- \/figures -->)/g;

const { check } = readOptions(
  { name: 'figures --', about: 'Fills the figures in the documents from docs/figures.' },
  { check: flag('change nothing; fail when a document differs') },
).values;
const root = fileURLToPath(new URL('../../', import.meta.url));
const used = new Set<string>();
let stale = 0;
for (const file of documents()) {
  const text = readFileSync(root + file, 'utf8');
  const filled = text.replaceAll(BLOCK, (_whole, open: string, name: string, close: string) => {
    const make = BLOCKS[name];
    if (make === undefined) throw new Error(`${file}: no figures are called '${name}'`);
    used.add(name);
    return `${open}${make()}\n${close}`;
  });
  if (filled === text) continue;
  stale += 1;
  if (check) console.error(`${file}: its figures are not those of docs/figures; npm run figures`);
  else writeFileSync(root + file, filled);
}
const unused = Object.keys(BLOCKS).filter((name) => !used.has(name));
if (unused.length > 0) console.error(`in no document: ${unused.join(', ')}`);
if (!check) console.log(`${stale} documents changed`);
process.exitCode = unused.length > 0 || (check && stale > 0) ? 1 : 0;
