/**
 * Key figures at the top of the page.
 */
import { byId, element } from '../dom.js';
import { bytes, milliseconds } from '../numbers.js';

/** Fills the cards. */
export function cards({ boot, check }) {
  const { machine, timing } = boot;
  const list = [
    ['memory', bytes(machine.memoryBytes), 'memory', machine.memoryBytes],
    ['nodes', String(machine.nodeCount), 'nodes', machine.nodeCount],
    ['cpus', String(machine.cpuCount), 'cpus', machine.cpuCount],
    [
      'first allocation',
      milliseconds(timing.firstAllocationMs),
      'first-allocation',
      timing.firstAllocationMs,
    ],
    ['everything ready', milliseconds(timing.totalMs), 'total', timing.totalMs],
    [
      'pages a second',
      `${(timing.pagesPerSecond / 1e6).toFixed(1)} M`,
      'rate',
      timing.pagesPerSecond,
    ],
    ['facts equal', `${check.equal} of ${check.equal + check.differs}`, 'equal', check.equal],
  ];
  byId('cards').append(
    ...list.map(([label, text, key, value]) =>
      element(
        'li',
        {},
        element('b', { 'data-figure': key, 'data-value': String(value) }, text),
        element('span', {}, label),
      ),
    ),
  );
}
