// What the programs here share: the same work by several subjects in turn, timed, told beside the code lines that each needs.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** Whole numbers from the command line, `--name N`; `threads` and `repeat` are among them. */
export function numbers(defaults) {
  const wanted = { threads: availableParallelism(), repeat: 1, ...defaults };
  const options = Object.fromEntries(Object.keys(wanted).map((name) => [name, { type: 'string' }]));
  const given = Object.entries(parseArgs({ options }).values);
  for (const [name, text] of given) {
    wanted[name] = Number(text);
    if (!Number.isInteger(wanted[name]) || wanted[name] < 1)
      throw new RangeError(`--${name} takes a whole number from 1 on, got ${text}`);
  }
  return wanted;
}

export function check(condition, text) {
  if (!condition) throw new Error(`wrong: ${text}`);
}

/** Lines of a source that are neither blank nor comment. */
const codeLines = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !/^\s*(\/\/|\/?\*|$)/.test(line)).length;

/** The one in the middle. */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/**
 * Lets all subjects work in turn, `repeat` times, and prints a line for each: code lines; medians of the time and of the
 * CPU time of all threads, which says more where others use the machine too. What `work` returns is called with the clock stopped.
 * @param {Record<string, { file: URL, work: () => Promise<void | (() => Promise<void>)> }>} subjects
 */
export async function compare(subjects, repeat) {
  const runs = new Map(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < repeat; round += 1) {
    for (const [name, { work }] of Object.entries(subjects)) {
      const [start, before] = [performance.now(), process.cpuUsage()];
      const verify = await work();
      const { user, system } = process.cpuUsage(before);
      runs.get(name).push({ time: (performance.now() - start) / 1e3, cpu: (user + system) / 1e6 });
      await verify?.();
    }
  }
  console.log('            code lines   seconds  CPU seconds');
  for (const [name, { file }] of Object.entries(subjects)) {
    const time = median(runs.get(name).map((run) => run.time)).toFixed(2);
    const cpu = median(runs.get(name).map((run) => run.cpu)).toFixed(2);
    const cells = [name.padEnd(10), `${codeLines(file)}`.padStart(12), time.padStart(10)];
    console.log(cells.join('') + cpu.padStart(13));
  }
}
