/**
 * The ways a log leaves its machine: what a logger, a mail or a packer puts around the lines says nothing about memory.
 */
import { gzipSync } from 'node:zlib';
import type { Random } from '../../../kit/random.mjs';
import type { Recording } from '../recording.js';
import { xzStored, zstdStored } from '../packed.js';
import { allApart, stamp } from '../text.js';
import type { LogLine } from '../text.js';
import { sameFacts } from '../variant.js';
import type { Rule } from '../variant.js';

/** Text around the lines: a new list of lines. */
type Dress = (lines: readonly string[], random: Random) => readonly string[];
/** The same for lines with the kernel's own prefix, which is taken off. */
type Redress = (lines: readonly LogLine[], random: Random) => readonly string[];

const utf8 = new TextEncoder();
const clock = (seconds: number): string =>
  `2026-03-0${1 + (Math.floor(seconds) % 9)}T12:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}:${(seconds % 60).toFixed(6).padStart(9, '0')}`;

const AROUND: Readonly<Record<string, Dress>> = {
  'CRLF ends': (lines) => lines.map((line) => `${line}\r`),
  'a mark of byte order and blanks at the end': (lines) =>
    lines.map((line, index) => `${index === 0 ? '\ufeff' : ''}${line}   `),
  'quoted mail': (lines) => lines.map((line) => `> ${line}`),
  'quoted-printable mail': (lines) => [
    'From: somebody@example.org',
    'Content-Type: text/plain; charset=UTF-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    ...lines.flatMap(quotedPrintable),
  ],
  'base64 mail': (lines) => [
    'Content-Type: text/plain',
    'Content-Transfer-Encoding: base64',
    '',
    ...(Buffer.from(`${lines.join('\n')}\n`)
      .toString('base64')
      .match(/.{1,76}/g) ?? []),
  ],
  'entities of HTML': (lines) =>
    lines.map((line) => line.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')),
  "docker's JSON": (lines) =>
    lines.map((line, index) =>
      JSON.stringify({
        log: `${line}\n`,
        stream: 'stdout',
        time: `2026-03-01T10:00:00.${String(index).padStart(9, '0')}Z`,
      }),
    ),
  "vector's JSON": (lines) =>
    lines.map((line) => JSON.stringify({ host: 'node1', source_type: 'file', message: line })),
  'the list of LAVA': (lines) =>
    lines.map(
      (line) =>
        `- {"dt": "2026-03-01T10:00:00.000000", "lvl": "target", "msg": ${JSON.stringify(line)}}`,
    ),
  'rows of CSV': (lines) =>
    lines.map((line) => `"2026-03-01","node1","${line.replace(/"/g, '""')}"`),
  colours: (lines) => lines.map((line) => `\u001b[32m${line}\u001b[0m`),
};

const INSTEAD: Readonly<Record<string, Redress>> = {
  'no priority': (lines) => lines.map(({ seconds, message }) => `${stamp(seconds)} ${message}`),
  'no prefix at all': (lines) => lines.map(({ message }) => message),
  callers: (lines, random) =>
    lines.map(({ seconds, message }) => `${stamp(seconds)}[    T${random.below(3)}] ${message}`),
  'dmesg -x': (lines) =>
    lines.map(({ seconds, message }) => `kern  :info  : ${stamp(seconds)} ${message}`),
  syslog: (lines) =>
    lines.map(
      ({ seconds, message }) => `Mar  1 10:00:00 node1 kernel: ${stamp(seconds)} ${message}`,
    ),
  'journal, ISO times': (lines) =>
    lines.map(({ seconds, message }) => `${clock(seconds)}+01:00 node1 kernel: ${message}`),
  "the journal's JSON": (lines) =>
    lines.map(({ priority, message }, index) =>
      JSON.stringify({
        __CURSOR: `s=1;i=${index}`,
        _TRANSPORT: 'kernel',
        PRIORITY: String(priority & 7),
        SYSLOG_IDENTIFIER: 'kernel',
        MESSAGE: message,
      }),
    ),
  "dmesg's JSON": (lines) => [
    '{',
    '   "dmesg": [',
    ...lines.flatMap(({ priority, seconds, message }, index) => [
      `      ${index === 0 ? '' : ''}{`,
      `         "pri": ${priority},`,
      `         "time": ${seconds.toFixed(6).padStart(12)},`,
      `         "msg": ${JSON.stringify(message)}`,
      `      }${index === lines.length - 1 ? '' : ','}`,
    ]),
    '   ]',
    '}',
  ],
};

const PACKED: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => gzipSync(bytes),
  xz: xzStored,
  zstd: zstdStored,
};

function quotedPrintable(line: string): string[] {
  const coded = [...utf8.encode(line)].map((byte) =>
    byte === 61 || byte > 126 || (byte < 32 && byte !== 9)
      ? `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte),
  );
  // Blanks at the end of a line are coded too.
  if (coded.at(-1) === ' ') coded[coded.length - 1] = '=20';
  if (coded.at(-1) === '\t') coded[coded.length - 1] = '=09';
  const rows: string[] = [];
  let row = '';
  for (const part of coded) {
    if (row.length + part.length > 75) {
      rows.push(`${row}=`);
      row = '';
    }
    row += part;
  }
  return [...rows, row];
}

function withLines(recording: Recording, lines: readonly string[]): Recording {
  return { ...recording, lines };
}

const around = Object.entries(AROUND).map(([name, dress]): Rule => ({
  class: 'form',
  name,
  reason: 'what is put around whole lines leaves each of them as it was',
  vary: (recording, random) =>
    recording.isPlain || name === 'CRLF ends'
      ? {
          what: name,
          recording: withLines(recording, dress(recording.lines, random)),
          judge: sameFacts,
        }
      : undefined,
}));

const instead = Object.entries(INSTEAD).map(([name, redress]): Rule => ({
  class: 'form',
  name,
  reason: "the kernel's messages are the same whatever their way out writes in front of them",
  vary: (recording, random) => {
    const apart = allApart(recording.lines);
    if (apart === undefined || !recording.isPlain) return undefined;
    return {
      what: name,
      recording: withLines(recording, redress(apart, random)),
      judge: sameFacts,
    };
  },
}));

const packed = Object.entries(PACKED).map(([name, pack]): Rule => ({
  class: 'form',
  name: `packed as ${name}`,
  reason: 'a packed file holds the same bytes',
  vary: (recording) => {
    // What lies beside a log is found by the log's name; a packed one lies alone.
    const alone = { ...recording, files: new Map<string, string>(), besides: {} };
    return {
      what: `packed as ${name}`,
      base: alone,
      recording: alone,
      packed: pack(utf8.encode(`${recording.lines.join('\n')}\n`)),
      judge: sameFacts,
    };
  },
}));

/** Forms of logs. */
export const FORM_RULES: readonly Rule[] = [...around, ...instead, ...packed];
