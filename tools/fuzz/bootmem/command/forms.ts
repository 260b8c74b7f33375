/**
 * What becomes of a log on its way to somebody who reads it: loggers' JSON, mail, tables, pages, wrapped lines, parts in another order, the
 * beginning or the end lost, rubbish behind a packed one.
 */
import { crc32 } from 'node:zlib';
import type { Random } from '../../../kit/random.mjs';

type Form = (lines: readonly string[], random: Random) => string;

/** Each line as a member of an object, in the ways of loggers. */
const json: Form = (lines, random) => {
  const key = random.pick(['MESSAGE', 'msg', 'log', 'message', 'textPayload', 'nothing']);
  const objects = lines.map((line) => JSON.stringify({ [key]: line, _TRANSPORT: 'kernel' }));
  switch (random.below(6)) {
    case 0:
      return objects.join('\n');
    case 1:
      return `[${objects.join(',')}]`;
    case 2:
      return `{"dmesg":[\n${objects.join(',\n')}\n]}`;
    case 3:
      return JSON.stringify(lines);
    case 4:
      return `${objects.join('\n')}\n`.repeat(1 + random.below(3));
    default:
      return objects.join('\u001e\n');
  }
};

/** The whole in one member, with more lines behind it than a call may have arguments. */
const member: Form = (lines, random) => {
  const more = random.once(4) ? '\n'.repeat(200_000) : 'x\n'.repeat(random.below(2000));
  const text = `${lines.join(random.pick(['\n', '\r\n', '\r']))}${more}`;
  const holders: unknown[] = [
    { log: text },
    { Output: text },
    { a: { b: [text, 1, null, { c: text }] } },
    [text],
    text,
  ];
  return JSON.stringify(random.pick(holders)) + random.pick(['', '\n', ',', '}', '\0']);
};

const mail: Form = (lines, random) => {
  const text = lines.join('\r\n');
  const isBase64 = random.once(2);
  const coded = isBase64
    ? Buffer.from(text)
        .toString('base64')
        .replaceAll(/(.{76})/g, '$1\r\n')
    : text.replaceAll('=', '=3D').replaceAll(/(.{70})/g, '$1=\r\n');
  const header = `Content-Transfer-Encoding: ${isBase64 ? 'base64' : 'quoted-printable'}\r\n\r\n`;
  return (random.once(4) ? '' : header) + coded.slice(0, coded.length - random.below(9));
};

/** Rows, cells and quotes; some of them lose their end. */
const table: Form = (lines, random) => {
  const [before, after] = random.pick([
    ['| 1 | ', ' | x |'],
    ['"', '\\n",'],
    ['1,"', '"'],
    ["- {dt: '1', lvl: target, msg: '", "'}"],
    ['> > ', ''],
    ['<tr><td>', '</td></tr>'],
    ['', '<br />'],
    ['\u001b[33m', '\u001b[0m'],
  ]);
  const end = random.pick(['\n', '\n', '']);
  return lines.map((line) => before + line + (random.once(9) ? '' : after)).join(end);
};

const wrapped: Form = (lines, random) => {
  const width = random.pick([40, 72, 76, 80, 132]);
  return lines.map((line) => line.replaceAll(new RegExp(`(.{${width}})`, 'g'), '$1\n')).join('\n');
};

/** Parts in an order that they never had. */
const disordered: Form = (lines, random) => {
  const parts: string[][] = [];
  const rest = [...lines];
  while (rest.length > 0) parts.push(rest.splice(0, 1 + random.below(60)));
  for (let at = parts.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [parts[at], parts[other]] = [parts[other]!, parts[at]!];
  }
  return parts.flat().join('\n');
};

/** A recording that ends, or begins, at any byte; NULs where a disk was not written. */
const torn: Form = (lines, random) => {
  const text = lines.join('\n');
  const at = random.below(text.length + 1);
  const zeros = random.once(2) ? '\0'.repeat(random.pick([1, 7, 4096])) : '';
  return random.once(2) ? text.slice(0, at) + zeros : zeros + text.slice(at);
};

const FORMS: readonly Form[] = [json, json, member, mail, table, wrapped, disordered, torn, torn];

/** A log in one of the forms, or in one within another. */
export function formed(lines: readonly string[], random: Random): string {
  const text = random.pick(FORMS)(lines, random);
  return random.once(6) ? random.pick(FORMS)(text.split('\n'), random) : text;
}

/** Something behind the end of a packed file: zeros, text, its own beginning, a sum. */
export function trailed(packed: Uint8Array, random: Random): Uint8Array {
  const sum = crc32(packed);
  const rubbish = random.pick([
    Buffer.alloc(random.pick([1, 4, 512])),
    Buffer.from('\n[    0.000000] Linux version 6.1.0\n'),
    packed.subarray(0, random.below(packed.byteLength + 1)),
    packed,
    Buffer.from([sum & 255, 255, 0, 31, 139]),
  ]);
  return Buffer.concat([packed, rubbish]);
}
