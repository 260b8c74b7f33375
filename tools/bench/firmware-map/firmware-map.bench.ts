// How fast logs are read, and how much memory a long one needs.
//   npm run bench -- firmware-map [--json] [--quick]
// Processor time, not wall time: the machine may be busy. No peer reads these formats.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseDescription, readDescription } from '@bootmem/firmware-map';

const LOG = readFileSync(
  fileURLToPath(
    new URL('../../../packages/firmware-map/test/fixtures/x86-2n.dmesg', import.meta.url),
  ),
  'utf8',
);
const isQuick = process.argv.includes('--quick');
const isJson = process.argv.includes('--json');
const LONG_BYTES = isQuick ? 20e6 : 200e6;
const REPEATS = isQuick ? 5 : 15;

interface Result {
  readonly case: string;
  readonly metric: string;
  readonly unit: string;
  readonly values: readonly number[];
}

function cpuSeconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

// Many short logs: nearly every line is a record.
function dense(): Result {
  const rounds = isQuick ? 50 : 400;
  const values = Array.from({ length: REPEATS }, () => {
    const start = process.cpuUsage();
    let records = 0;
    for (let round = 0; round < rounds; round++) {
      const read = parseDescription(LOG);
      records += read.ok ? read.description.printed.earlyRanges.length : 0;
    }
    if (records !== 4 * rounds) throw new Error(`read ${records} ranges, expected ${4 * rounds}`);
    return (LOG.length * rounds) / 1e6 / cpuSeconds(start);
  });
  return { case: 'records only', metric: 'rate', unit: 'MB/s of CPU', values };
}

// A log of the fixture and then other programs' lines.
async function long(): Promise<Result[]> {
  const line = (index: number): string =>
    `[  ${100 + index}.123456] systemd[1]: Started service ${index}, Memory and nodes in its name.\n`;
  const filler = Buffer.from(Array.from({ length: 800 }, (_, index) => line(index)).join(''));
  const rates: number[] = [];
  const growth: number[] = [];
  for (let repeat = 0; repeat < Math.min(REPEATS, 5); repeat++) {
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let peak = before;
    function* pieces(): Generator<Uint8Array> {
      yield Buffer.from(LOG);
      for (let bytes = 0; bytes < LONG_BYTES; bytes += filler.length) {
        yield filler;
        peak = Math.max(peak, process.memoryUsage().rss);
      }
    }
    const start = process.cpuUsage();
    const read = await readDescription(pieces());
    if (!read.ok) throw new Error(read.problems[0]!.message);
    rates.push(LONG_BYTES / 1e6 / cpuSeconds(start));
    growth.push((peak - before) / 2 ** 20);
  }
  const name = `${LONG_BYTES / 1e6} MB of other lines`;
  return [
    { case: name, metric: 'rate', unit: 'MB/s of CPU', values: rates },
    { case: name, metric: 'resident memory growth', unit: 'MiB', values: growth },
  ];
}

for (const { values, ...result } of [dense(), ...(await long())]) {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  const [min, max] = [sorted[0]!, sorted.at(-1)!];
  const row = {
    bench: 'firmware-map',
    subject: 'bootmem',
    ...result,
    median,
    min,
    max,
    n: sorted.length,
  };
  if (isJson) console.log(JSON.stringify(row));
  else {
    const figures = `${median.toFixed(1)} (${min.toFixed(1)} to ${max.toFixed(1)})`;
    console.log(`${row.case.padEnd(26)} ${row.metric.padEnd(24)} ${figures} ${row.unit}`);
  }
}
