/** Logs as loggers, mailers, test labs and spreadsheets pass them on: the same facts as the plain log. */
import { describe as group, expect, test } from '@jest/globals';
import { createReader, parseDescription, synthesize, toJson } from '@bootmem/firmware-map';
import { codes, describe, fixture, withoutLines } from './helpers.js';

const PLAIN = fixture('x86-2n.dmesg').trimEnd().split('\n');
const EXPECTED = withoutLines(describe(PLAIN.join('\n')));

const stamped = (line: string): string => `[    0.000000] ${line}`;

/** RFC 2045 quoted-printable of one line with its end coded: pieces of at most 76 characters, as full as can be. */
function quotedPrintable(line: string): string {
  const coded = `${line}\n`.replaceAll(
    /[^ -<>-~]/g,
    (char) => `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  const pieces = coded.match(/.{1,73}(?:=[0-9A-F]{2}|[^=](?![0-9A-F]?$)|$)|.+/g)!;
  return `${pieces.join('=\n')}=`;
}

const base64 = (text: string): string =>
  Buffer.from(text)
    .toString('base64')
    .match(/.{1,76}/g)!
    .join('\n');

const journal = (line: string, more: object = {}): string =>
  JSON.stringify({ __CURSOR: 's=1', _TRANSPORT: 'kernel', PRIORITY: '6', MESSAGE: line, ...more });

const FORMS: Readonly<Record<string, string>> = {
  'journalctl -o json': PLAIN.map((line) => journal(line)).join('\n'),
  'journalctl -o json with bytes for text': PLAIN.map((line, index) =>
    index % 3 === 0 ? JSON.stringify({ MESSAGE: [...Buffer.from(line)] }) : journal(line),
  ).join('\n'),
  'journalctl -o json-pretty': PLAIN.map((line) =>
    JSON.stringify({ PRIORITY: '6', MESSAGE: line, _TRANSPORT: 'kernel' }, undefined, '\t'),
  ).join('\n'),
  'journalctl -o json-seq': PLAIN.map((line) => `\u001e${journal(line)}`).join('\n'),
  'journalctl -o json-sse': PLAIN.map((line) => `data: ${journal(line)}\n`).join('\n'),
  'messages of other programs in the journal': PLAIN.flatMap((line, index) => [
    journal(line),
    ...(index % 2 === 0
      ? [journal('BIOS-e820: [mem 0x0-0xfff] reserved', { _TRANSPORT: 'stdout' })]
      : []),
  ]).join('\n'),
  'dmesg --json': JSON.stringify(
    { dmesg: PLAIN.map((msg) => ({ pri: 6, time: 0, msg })) },
    undefined,
    3,
  ),
  'dmesg --json on one line': JSON.stringify({
    dmesg: PLAIN.map((msg) => ({ pri: 6, time: 0, msg })),
  }),
  'a list of objects': JSON.stringify(PLAIN.map((message) => ({ message }))),
  'a list of objects, one a line': `[${PLAIN.map((message) => JSON.stringify({ message })).join(',\n')}]`,
  'docker json-file': PLAIN.map((line) =>
    JSON.stringify({ log: `${stamped(line)}\n`, stream: 'stdout', time: '2025-01-01T00:00:00Z' }),
  ).join('\n'),
  vector: PLAIN.map((line) =>
    JSON.stringify({ host: 'a', message: stamped(line), source_type: 'journald' }),
  ).join('\r\n'),
  'an object around the object': PLAIN.map((line) =>
    JSON.stringify({ insertId: '1', jsonPayload: { message: line } }),
  ).join('\n'),
  'a table of Markdown with more columns': [
    '| # | time | message | note |',
    '|---|------|---------|------|',
    ...PLAIN.map((line, index) => `| ${index} | 0.000000 | ${line.replaceAll('|', '\\|')} | ok |`),
  ].join('\n'),
  'quoted-printable mail with blanks behind its lines': [
    'Content-Transfer-Encoding: quoted-printable',
    '',
    ...PLAIN.map((line) => quotedPrintable(stamped(line)).replaceAll('=\n', '= \n')),
  ].join('\n'),
  'quoted-printable mail': [
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    ...PLAIN.map((line) => quotedPrintable(stamped(line))),
  ].join('\n'),
  'quoted-printable without its header': PLAIN.map((line) => quotedPrintable(stamped(line))).join(
    '\n',
  ),
  'base64 mail': [
    'MIME-Version: 1.0',
    'Content-Transfer-Encoding: base64',
    '',
    base64(PLAIN.join('\n')),
    '--boundary--',
  ].join('\n'),
  'base64 mail with CRLF inside and outside': [
    'Content-Transfer-Encoding: base64',
    '',
    base64(PLAIN.join('\r\n')),
    '',
  ]
    .join('\n')
    .replaceAll('\n', '\r\n'),
  'base64 without its header': base64(`${PLAIN.map(stamped).join('\n')}\n`),
  'LAVA, double quotes': PLAIN.map(
    (line) =>
      `- {"dt": "2025-01-01T00:00:00.1", "lvl": "target", "msg": ${JSON.stringify(stamped(line))}}`,
  ).join('\n'),
  'LAVA, single quotes': PLAIN.map(
    (line) =>
      `- {dt: '2025-01-01T00:00:00.1', lvl: target, msg: '${stamped(line).replaceAll("'", "''")}'}`,
  ).join('\n'),
  'a table with every field in quotes': PLAIN.map(
    (line) => `"2025-01-01","kernel","${stamped(line).replaceAll('"', '""')}"`,
  ).join('\n'),
  'a table with one field in quotes and one behind it': PLAIN.map(
    (line) => `7,"${stamped(line).replaceAll('"', '""')}",host`,
  ).join('\n'),
};

group('every form of a log gives the same description', () => {
  test.each(Object.keys(FORMS))('%s', (name) => {
    const description = describe(FORMS[name]!);
    expect(withoutLines(description)).toEqual(EXPECTED);
    expect(codes(description)).not.toContain('LINE_TOO_LONG');
  });

  test('cut into pieces anywhere', () => {
    const bytes = Buffer.from(FORMS['dmesg --json on one line']!);
    for (const size of [1, 7, 4096, 10_000]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      const read = parseChunks(chunks);
      expect(withoutLines(read)).toEqual(EXPECTED);
    }
  });

  test('lines are numbered as they stand in the file', () => {
    const plain = describe(PLAIN.join('\n'));
    expect(describe(FORMS['journalctl -o json']!).firmware.map).toEqual(plain.firmware.map);
  });
});

function parseChunks(chunks: readonly Uint8Array[]): unknown {
  const reader = createReader();
  for (const chunk of chunks) reader.push(chunk);
  const read = reader.finish();
  return read.ok ? read.description : read.problems;
}

group('what only looks like a form stays what it is', () => {
  test('a description on one line, longer than any log line', () => {
    const description = synthesize({ memory: '64G', nodes: 8, cpus: 64 });
    const many = {
      ...description,
      firmware: {
        ...description.firmware,
        map: Array.from({ length: 300 }, (_, index) => ({
          ...description.firmware.map[0]!,
          start: index * 2 ** 21,
          end: index * 2 ** 21 + 2 ** 20,
        })),
      },
    };
    const text = JSON.stringify(JSON.parse(toJson(many)));
    expect(text.length).toBeGreaterThan(20_000);
    expect(text).not.toContain('\n');
    expect(parseDescription(text)).toEqual({ ok: true, description: many });
  });

  test('a long line that begins like JSON and is none is cut, and what follows is read', () => {
    const description = describe(
      [PLAIN[0]!, `{${'x'.repeat(20_000)}`, ...PLAIN.slice(1)].join('\n'),
    );
    expect(withoutLines(description)).toEqual(EXPECTED);
    expect(codes(description)).toContain('LINE_TOO_LONG');
  });

  test('a command line that ends with an equals sign or a quote is not coded', () => {
    const { commandLine } = describe(
      [
        PLAIN[0]!,
        `Command line: ${'nothing=here '.repeat(9)}dyndbg="file a +p" quiet=`,
        ...PLAIN.slice(1),
      ].join('\n'),
    );
    expect(commandLine?.text).toContain('quiet=');
    expect(commandLine?.text).toContain('dyndbg="file a +p"');
  });

  test('two lines of letters are no base64', () => {
    const words = 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh';
    const text = [PLAIN[0]!, words, words, ...PLAIN.slice(1)].join('\n');
    expect(withoutLines(describe(text))).toEqual(EXPECTED);
  });
});
