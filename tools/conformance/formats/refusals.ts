/**
 * Inputs that hold no machine: each must be refused, with an error that has a line and a reason. Files of a folder
 * that its index does not name count as such, when the index is that of the fixtures of the repository; of a folder
 * of collected logs, the index itself is one (it is JSON, but no description).
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseDescription } from '@bootmem/firmware-map';
import { Case, type CaseResult } from './case.js';

const MADE_UP: Readonly<Record<string, string | Uint8Array>> = {
  'nothing at all': '',
  'blank lines': '\n \n\t\n',
  'bytes that are no text': Uint8Array.from({ length: 4096 }, (_, i) => (i * 2654435761) >>> 24),
  prose: 'It is a truth universally acknowledged,\nthat a machine in possession of memory\n',
  'a log whose beginning is lost': '[   12.345678] usb 1-1: new high-speed USB device\n'.repeat(50),
  'a banner alone': '[    0.000000] Linux version 6.1.0 (x@y) #1 SMP\n',
  'JSON of something else': '{"schema": "package", "version": 1}',
  'broken JSON': '{"schema": "bootmem/machine-description", "version": 1,\n  "source": ',
  'hidden addresses': '00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n',
};

/** Checks that everything unreadable is refused. */
export function* checkRefusals(
  folder: string,
  indexed: ReadonlySet<string>,
): Generator<CaseResult> {
  for (const [name, input] of Object.entries(MADE_UP)) yield refusal(`refused: ${name}`, input);
  const refused = join(folder, 'refused');
  if (existsSync(refused)) {
    for (const name of readdirSync(refused).sort()) {
      yield refusal(`refused/${name}`, readFileSync(join(refused, name)));
    }
  }
  const missing = readdirSync(folder).filter(
    (name) => name.endsWith('.dmesg') && !indexed.has(name),
  );
  const test = new Case('index');
  test.equal('logs without an index line', [], missing);
  yield test.result();
}

function refusal(name: string, input: string | Uint8Array): CaseResult {
  const test = new Case(name);
  const read = parseDescription(input);
  test.holds('refused', !read.ok);
  if (!read.ok) {
    const error = read.problems.find(({ severity }) => severity === 'error');
    test.holds('an error with a reason', error !== undefined && error.message.length > 10);
    test.holds('an error with a line', error !== undefined && Number.isSafeInteger(error.line));
  }
  return test.result();
}
