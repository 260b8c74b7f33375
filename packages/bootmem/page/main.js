/* global matchMedia */
/**
 * The report's own script: reads the JSON that stands in the page and fills the page's parts. Every control is a
 * button or reacts to keys.
 *
 * `bundle.mjs` makes one file of it. What a figure shows is computed by pure functions beside its drawing
 * (`zoneParts`, `blockRows`, …), so that they can move to whatever draws the same without a browser.
 */
import { byId, element } from './dom.js';
import { addressMap } from './figures/address-map.js';
import { cards } from './figures/cards.js';
import { checks } from './figures/checks.js';
import { freeBlocks } from './figures/free-blocks.js';
import { scaling } from './figures/scaling.js';
import { timeline } from './figures/timeline.js';
import { unaccepted } from './figures/unaccepted.js';
import { zones } from './figures/zones.js';

const report = JSON.parse(byId('data').textContent);
const { boot } = report;

function theme() {
  const button = byId('theme');
  button.addEventListener('click', () => {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === 'dark'
      : matchMedia('(prefers-color-scheme: dark)').matches;
    document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  });
}

byId('title').textContent = `Memory bring-up of ${boot.source}`;
byId('subtitle').textContent =
  `kernel ${boot.kernel}, profile ${boot.options.profile}; ${boot.options.mode}, ${boot.options.threads} thread${boot.options.threads === 1 ? '' : 's'}, acceptance ${boot.options.accept}`;
for (const part of [
  cards,
  addressMap,
  zones,
  timeline,
  freeBlocks,
  unaccepted,
  scaling,
  checks,
  theme,
])
  part(report);
byId('log').textContent = boot.log.join('\n');
for (const note of boot.notes) byId('notes').append(element('li', {}, note));
document.documentElement.dataset.ready = 'true';
