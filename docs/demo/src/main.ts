/** The page: pick a machine, boot it with the same packages as in Node, look at the outcome. */
import { parseDescription, synthesize, type MachineDescription } from '@bootmem/firmware-map';
import { type BootReport, bootMemory } from 'bootmem/browser';
import sample from '../../../packages/bootmem/samples/k61-4n-odd/dmesg.txt?raw';
import { explainText, shown } from './explain.js';
import { drawMap, drawOrders, drawTimeline, size } from './pictures.js';
import { initThread } from './thread.js';

const GIB = 2 ** 30;

/** The sample is part of the page, so a log that cannot be read is the page's own fault. */
function readSample(): MachineDescription {
  const read = parseDescription(sample);
  if (!read.ok) throw new Error(read.problems[0]?.message ?? 'the sample log cannot be read');
  return read.description;
}

const MACHINES: { readonly name: string; readonly describe: () => MachineDescription }[] = [
  { name: 'Recorded: 7.65 GiB in four unequal nodes', describe: readSample },
  {
    name: 'Made up: 64 GiB in 2 nodes',
    describe: () => synthesize({ memory: 64 * GIB, nodes: 2, cpus: 16 }),
  },
  {
    name: 'Made up: 256 GiB in 4 nodes',
    describe: () => synthesize({ memory: 256 * GIB, nodes: 4, cpus: 64 }),
  },
];

function element<T extends Element>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${id}`);
}
const form = element('form', HTMLFormElement);
const machineBox = element('machine', HTMLSelectElement);
const threadsBox = element('threads', HTMLInputElement);
const notice = element('notice', HTMLElement);
const progress = element('progress', HTMLProgressElement);
const summary = element('summary', HTMLElement);
const log = element('log', HTMLElement);
const buddyinfo = element('buddyinfo', HTMLElement);
const map = element('map', HTMLCanvasElement);
const timeline = element('timeline', HTMLCanvasElement);
const orders = element('orders', HTMLCanvasElement);
const mapKey = element('map-key', HTMLElement);

machineBox.append(...MACHINES.map(({ name }, index) => new Option(name, String(index))));
threadsBox.value = String(Math.max(2, Math.min(8, navigator.hardwareConcurrency)));
if (!crossOriginIsolated) {
  notice.hidden = false;
  notice.textContent =
    'This page is not cross-origin isolated, so there is no shared memory here: the boot runs on one thread.';
}

const ownLog = element('own-log', HTMLTextAreaElement);
const ownFile = element('own-file', HTMLInputElement);
const ownNotice = element('own-notice', HTMLElement);
const ownResult = element('own-result', HTMLElement);

/** Explains a log, and offers its machine to be booted. */
function explain(text: string, name: string): void {
  ownResult.replaceChildren();
  try {
    const { description, report } = explainText(text, name);
    ownResult.append(...shown(report));
    ownNotice.textContent = '';
    const at = MACHINES.push({ name: `Yours: ${name}`, describe: () => description }) - 1;
    machineBox.append(new Option(MACHINES[at]!.name, String(at)));
  } catch (error) {
    ownNotice.textContent = `This log cannot be used: ${error instanceof Error ? error.message : String(error)}`;
  }
  document.documentElement.dataset['explained'] = name;
}

async function explainFile(file: File | undefined): Promise<void> {
  if (file !== undefined) explain(await file.text(), file.name);
}

element('own', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  explain(ownLog.value, 'pasted log');
});
ownFile.addEventListener('change', () => void explainFile(ownFile.files?.[0]));
addEventListener('dragover', (event) => {
  event.preventDefault();
});
addEventListener('drop', (event) => {
  event.preventDefault();
  void explainFile(event.dataTransfer?.files[0]);
});

function showSummary(report: BootReport): void {
  const { timing, machine, threads } = report;
  const facts: readonly [string, string][] = [
    ['memory', `${size(machine.memoryBytes)} in ${machine.nodeCount} nodes`],
    ['first allocation', `${timing.firstAllocationMs.toFixed(1)} ms`],
    ['everything initialised', `${timing.totalMs.toFixed(1)} ms`],
    ['pages a second', `${(timing.pagesPerSecond / 1e6).toFixed(1)} M`],
    ['descriptors', size(machine.descriptorBytes)],
    ['threads', threads.map(({ share }) => `${(100 * share).toFixed(0)} %`).join(' · ')],
  ];
  summary.replaceChildren(
    ...facts.map(([name, value]) => {
      const pair = document.createElement('div');
      const term = document.createElement('dt');
      const definition = document.createElement('dd');
      term.textContent = name;
      definition.textContent = value;
      pair.append(term, definition);
      return pair;
    }),
  );
}

let last: BootReport | undefined;

/** Shows the boot again in slow motion: what took milliseconds fills in over two seconds. */
async function replay(report: BootReport): Promise<void> {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const began = performance.now();
  for (let part = 0; part < 1 && report === last;) {
    part = (performance.now() - began) / 2000;
    const until = report.timing.totalMs * part;
    drawMap(map, report, until);
    drawTimeline(timeline, report, until);
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

function draw(report: BootReport): void {
  drawMap(map, report);
  drawTimeline(timeline, report);
  drawOrders(orders, report);
  mapKey.textContent =
    'Pale: memory whose descriptors were still untouched at the first allocation. One colour a node.';
}

async function boot(): Promise<void> {
  const button = form.querySelector('button')!;
  button.disabled = true;
  log.textContent = '';
  progress.value = 0;
  try {
    const machine = await bootMemory(MACHINES[Number(machineBox.value)]!.describe(), {
      threads: crossOriginIsolated ? Number(threadsBox.value) : 1,
      worker: initThread,
      onProgress(event) {
        if (event.kind === 'pages') progress.value = event.done / event.total;
        if (event.kind === 'log') log.textContent += `${event.line}\n`;
      },
    });
    const report = machine.report();
    await machine.close();
    last = report;
    progress.value = 1;
    showSummary(report);
    buddyinfo.textContent = report.buddyinfo;
    draw(report);
    document.documentElement.dataset['booted'] = String(report.timing.initialisedPages);
    void replay(report).then(() => {
      if (report === last) draw(report);
    });
  } catch (error) {
    notice.hidden = false;
    notice.textContent = `The boot failed: ${error instanceof Error ? error.message : String(error)}`;
    throw error;
  } finally {
    button.disabled = false;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void boot();
});
addEventListener('resize', () => {
  if (last !== undefined) draw(last);
});
void boot();
