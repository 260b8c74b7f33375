/**
 * `npm run bench -- firmware-map`: how fast logs are read, and how much memory a long one needs. Processor time, not
 * wall time: the machine may be busy. No peer reads these formats.
 */
import { readFileSync } from 'node:fs';
import { parseDescription, readDescription } from '@bootmem/firmware-map';
import { benchOptions } from '../../kit/options.js';
import { Samples } from '../../kit/samples.js';
import { stopwatch } from '../../kit/stopwatch.js';
import { warmUp } from '../../kit/warm-up.mjs';

const FIXTURE = '../../../packages/firmware-map/test/fixtures/x86-2n.dmesg';
const LOG = readFileSync(new URL(FIXTURE, import.meta.url), 'utf8');
const OURS = 'bootmem';
/** Other programs' lines, repeated. */
const FILLER = Buffer.from(
  Array.from(
    { length: 800 },
    (_, index) =>
      `[  ${100 + index}.123456] systemd[1]: Started service ${index}, Memory and nodes in its name.\n`,
  ).join(''),
);

/** Many short logs, in which nearly every line is a record; MB a second of CPU. */
function readShortLogs(count: number): number {
  const times = stopwatch();
  let records = 0;
  for (let i = 0; i < count; i += 1) {
    const read = parseDescription(LOG);
    records += read.ok ? read.description.printed.earlyRanges.length : 0;
  }
  if (records !== 4 * count) throw new Error(`read ${records} ranges, expected ${4 * count}`);
  return (LOG.length * count) / 1e6 / (times().cpuMs / 1000);
}

/** The fixture, then so many bytes of other programs' lines; MB a second of CPU, and MiB that memory grew by. */
async function readLongLog(bytes: number): Promise<{ rate: number; growth: number }> {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let peak = before;
  function* pieces(): Generator<Uint8Array> {
    yield Buffer.from(LOG);
    for (let sent = 0; sent < bytes; sent += FILLER.length) {
      yield FILLER;
      peak = Math.max(peak, process.memoryUsage().rss);
    }
  }
  const times = stopwatch();
  const read = await readDescription(pieces());
  if (!read.ok) throw new Error(read.problems[0]!.message);
  return { rate: bytes / 1e6 / (times().cpuMs / 1000), growth: (peak - before) / 2 ** 20 };
}

const { quick, json } = benchOptions(
  'firmware-map',
  'How fast logs are read, in processor time, and the memory a long one needs.',
  [],
  {},
);
const longBytes = quick ? 20e6 : 200e6;
const samples = new Samples('firmware-map');
await warmUp(() => readShortLogs(20));
for (let round = 0; round < (quick ? 5 : 15); round += 1)
  samples.add('records only', OURS, 'rate by CPU time', 'MB/s', readShortLogs(quick ? 50 : 400));
await warmUp(async () => (await readLongLog(2e6)).rate);
for (let round = 0; round < 5; round += 1) {
  const { rate, growth } = await readLongLog(longBytes);
  const name = `${longBytes / 1e6} MB of other lines`;
  samples.add(name, OURS, 'rate by CPU time', 'MB/s', rate);
  samples.add(name, OURS, 'resident memory growth', 'MiB', growth);
}
samples.print({ json });
