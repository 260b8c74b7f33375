/* global matchMedia */
/**
 * The report's own script: the page is whole without it. It zooms the address map with the function that drew it, filters
 * the checks, and turns the light on and off. Every control is a button or reacts to keys.
 *
 * `bundle.mjs` makes one file of it.
 */
import { addressMap, mapEnds, mapZooms } from '../dist/report/drawings/address-map.js';

const byId = (id) => document.getElementById(id);

function button(text, attributes, act) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.addEventListener('click', act);
  return made;
}

function theme() {
  const { documentElement: root } = document;
  byId('theme').hidden = false;
  byId('theme').addEventListener('click', () => {
    const isDark =
      root.dataset.theme === undefined
        ? matchMedia('(prefers-color-scheme: dark)').matches
        : root.dataset.theme === 'dark';
    root.dataset.theme = isDark ? 'light' : 'dark';
  });
}

/** Bytes below which the map does not zoom. */
const CLOSEST = 4 * 4096;

function zoomMap(boot) {
  const zooms = mapZooms(boot);
  const { map: end } = mapEnds(boot);
  const figure = byId('map-figure');
  const tools = byId('map-tools');
  let view = zooms[0];
  const show = (next) => {
    view = next;
    figure.innerHTML = addressMap(boot, view);
    figure.dataset.from = String(view.from);
    figure.dataset.to = String(view.to);
    for (const [index, one] of zooms.entries()) {
      const isPressed = one.from === view.from && one.to === view.to;
      tools.querySelectorAll('button')[index].setAttribute('aria-pressed', String(isPressed));
    }
  };
  const move = (from, to) => {
    const span = Math.max(CLOSEST, Math.min(to - from, end));
    const start = Math.max(0, Math.min(from, end - span));
    show({ from: start, to: start + span });
  };
  tools.hidden = false;
  tools.prepend(...zooms.map((zoom) => button(zoom.name, {}, () => show(zoom))));
  figure.addEventListener('keydown', (event) => {
    const { from, to } = view;
    const span = to - from;
    const middle = from + span / 2;
    const actions = {
      ArrowLeft: () => move(from - span / 4, to - span / 4),
      ArrowRight: () => move(from + span / 4, to + span / 4),
      '+': () => move(middle - span / 4, middle + span / 4),
      '=': () => move(middle - span / 4, middle + span / 4),
      '-': () => move(middle - span, middle + span),
      Home: () => show(zooms[0]),
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
  show(view);
}

function filterChecks(check) {
  const tools = byId('check-tools');
  const rows = byId('check-table').querySelectorAll('tbody tr');
  const filters = [
    ['all', check.facts.length],
    ['equal', check.equal],
    ['differs', check.differs],
    ['not derivable', check.notDerivable],
  ];
  const made = filters.map(([name, amount], index) =>
    button(
      `${name} (${amount})`,
      { 'aria-pressed': String(index === 0), 'data-filter': name },
      () => {
        for (const [at, one] of made.entries()) one.setAttribute('aria-pressed', at === index);
        for (const row of rows)
          row.classList.toggle('hidden', name !== 'all' && row.dataset.verdict !== name);
      },
    ),
  );
  tools.append(...made);
  tools.hidden = false;
}

const { boot, check } = JSON.parse(byId('data').textContent);
theme();
zoomMap(boot);
filterChecks(check);
document.documentElement.dataset.ready = 'true';
