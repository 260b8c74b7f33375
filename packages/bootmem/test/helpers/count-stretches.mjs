// Runs the command on a large input, and counts what the engine executes between two turns of the event loop: its own counts
// of every block of code, loops too, with characters of JSON that it reads or writes by itself. Nothing is timed. With --times the
// longest time between two turns is measured instead. Prints one JSON object.
//   node count-stretches.mjs [--times] INPUT RECORDS COMMAND ARGUMENT…
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';

const words = process.argv.slice(2);
const isTimed = words[0] === '--times';
const [input, records, ...args] = isTimed ? words.slice(1) : words;

const session = new Session();
session.connect();
const post = (method, params) => {
  let result;
  session.post(method, params, (error, answer) => {
    if (error) throw error;
    result = answer;
  });
  return result;
};
if (!isTimed) {
  // Before any module is compiled: only code that is compiled under it counts its blocks.
  post('Profiler.enable');
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
}

const { LARGEST } = await import('./largest-inputs.mjs');
const { createColors } = await import('../../dist/format/colors.js');
const { main } = await import('../../dist/cli/program.js');

const KEPT = 3;
/** Characters of JSON that are as much work as a block. */
const CHARACTERS = 8;
let json = 0;
for (const name of ['parse', 'stringify']) {
  const own = JSON[name];
  JSON[name] = (...given) => {
    const result = own(...given);
    json += (name === 'parse' ? String(given[0]) : (result ?? '')).length / CHARACTERS;
    return result;
  };
}

const folder = mkdtempSync(join(tmpdir(), 'bootmem-stretches-'));
const file = join(folder, 'input');
writeFileSync(file, LARGEST[input](Number(records)));

let longest = [];
let turns = 0;
function look() {
  const { result } = post('Profiler.takePreciseCoverage');
  const blocks = result
    .filter(({ url }) => url.includes('/packages/') && !url.includes('/test/'))
    .flatMap((script) =>
      script.functions.flatMap(({ functionName, ranges }) =>
        ranges.map(({ count }) => ({
          name: `${script.url.split('/').slice(-2).join('/')} ${functionName}`,
          count,
        })),
      ),
    );
  const steps = Math.round(blocks.reduce((sum, { count }) => sum + count, json));
  if (longest.length < KEPT || steps > longest.at(-1).steps) {
    blocks.sort((a, b) => b.count - a.count);
    const where = blocks.slice(0, 6).map(({ name, count }) => `${name} ${count}`);
    longest.push({ steps, where: json > 1000 ? [...where, `JSON ${Math.round(json)}`] : where });
    longest.sort((a, b) => b.steps - a.steps);
    longest.splice(KEPT);
  }
  json = 0;
}
/** Processor time of the process so far. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
let isDone = false;
let last = 0;
let lastCpu = 0;
let slowest = 0;
let peakAt = 0;
function tick() {
  turns++;
  if (isTimed) {
    // Waiting for a busy machine is no work.
    const ms = Math.min(performance.now() - last, cpuMs() - lastCpu);
    if (ms > slowest) [slowest, peakAt] = [ms, turns];
  } else look();
  if (!isDone) setImmediate(tick);
  last = performance.now();
  lastCpu = cpuMs();
}
json = 0;
if (!isTimed) post('Profiler.takePreciseCoverage');
last = performance.now();
lastCpu = cpuMs();
setImmediate(tick);
let printed = 0;
let err = '';
const started = cpuMs();
const code = await main(
  args.map((word) => (word === 'FILE' ? file : word)),
  {
    out: (text) => (printed += text.length),
    err: (text) => (err += text),
    outIsTerminal: false,
    errIsTerminal: false,
    errStream: new Writable(),
    colors: createColors(false),
    signal: new AbortController().signal,
    env: {},
  },
);
isDone = true;
const used = cpuMs() - started;
await new Promise((resolve) => setImmediate(resolve));
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({
    code,
    printed,
    err: err.slice(0, 200),
    turns,
    ...(isTimed ? { ms: Math.round(slowest), peakAt, cpuMs: Math.round(used) } : { longest }),
  }),
);
process.exit(0);
