/**
 * The JSON Schema (draft 2020-12) of a description, as data. The file `schema/machine-description.schema.json` of
 * this package is this very object; a test keeps the two equal. {@link checkValue} reads the same object, so what
 * is published is what is checked.
 */

import {
  NATURAL,
  TEXT,
  FLAG,
  NID,
  NUMBERS,
  COUNTS,
  LINE,
  RANGE_AT,
  object,
  list,
  ref,
  type Schema,
} from './builder.js';

import { DEFS } from './definitions.js';
import { OPTIONS } from './options.js';
import { PRINTED } from './printed.js';
import { PROC } from './proc.js';

export type { Schema } from './builder.js';

const CODES = [
  'EMPTY_INPUT',
  'NOT_TEXT',
  'NO_MEMORY_MAP',
  'NO_SUCH_BOOT',
  'LINE_TOO_LONG',
  'TOO_MANY_RECORDS',
  'BAD_NUMBER',
  'BAD_RANGE',
  'ADDRESS_TOO_LARGE',
  'UNKNOWN_KIND',
  'MALFORMED_LINE',
  'TRUNCATED',
  'WRAPPED_LINE',
  'OVERLAP',
  'DUPLICATE_LINE',
  'BAD_OPTION',
  'INCOMPLETE_DUMP',
  'HIDDEN_ADDRESSES',
  'CONTRADICTION',
  'ASSUMED',
  'BAD_JSON',
  'UNSUPPORTED_VERSION',
  'MULTIPLE_BOOTS',
  'REPEATED_LOG',
];

/** The schema of a description, version 1. */
export const DESCRIPTION_SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://bootmem.github.io/schema/machine-description-1.json',
  title: 'bootmem machine description, version 1',
  description:
    'Everything known about one boot of one machine. Addresses and sizes in bytes, ranges half open, lines 1-based (0: not from a text).',
  ...object({
    schema: { const: 'bootmem/machine-description' },
    version: { const: 1 },
    source: object({
      format: {
        enum: [
          'boot-log',
          'iomem',
          'firmware-memmap',
          'zoneinfo',
          'buddyinfo',
          'pagetypeinfo',
          'meminfo',
          'nodes',
          'json',
          'synthetic',
        ],
      },
      'name?': TEXT,
      lines: NATURAL,
      bytes: NATURAL,
      bootCount: NATURAL,
      bootIndex: NATURAL,
      firstLine: NATURAL,
      lastLine: NATURAL,
    }),
    'architecture?': {
      enum: [
        'x86_64',
        'i386',
        'arm64',
        'arm',
        'ppc64',
        'ppc32',
        'riscv64',
        's390x',
        'mips',
        'loongarch64',
        'sh',
        'sparc64',
        'sparc',
        'parisc',
        'm68k',
        'alpha',
        'ia64',
        'microblaze',
        'xtensa',
        'arc',
        'openrisc',
        'riscv32',
        'um',
      ],
    },
    'pageSize?': { type: 'integer', minimum: 4096, maximum: 65_536 },
    'kernel?': object({ release: TEXT, numbers: NUMBERS, ...LINE }),
    'commandLine?': object({ text: TEXT, ...LINE }),
    'machine?': TEXT,
    options: OPTIONS,
    cpus: object({
      'possible?': NATURAL,
      'present?': NATURAL,
      'hotplug?': NATURAL,
      'online?': NATURAL,
      'cpuIds?': NATURAL,
      'nodeIds?': NATURAL,
      'nodesOnline?': NATURAL,
    }),
    firmware: object({
      map: list(ref('mapEntry')),
      user: list(ref('mapEntry')),
      modified: list(ref('mapEntry')),
      setupData: list(ref('mapEntry')),
      edits: list(ref('mapEdit')),
      efi: list(ref('efiEntry')),
      unaccepted: list(ref('rangeAt')),
      'banks?': list(ref('mapEntry')),
      'deviceTree?': list(object({ ...RANGE_AT, name: TEXT, noMap: FLAG, reusable: FLAG })),
    }),
    numa: object({
      srat: list(
        object({
          ...RANGE_AT,
          nid: NID,
          'pxm?': NATURAL,
          hotplug: FLAG,
          nonVolatile: FLAG,
        }),
      ),
      cpus: list(object({ nid: NID, pxm: NATURAL, id: NATURAL, ...LINE })),
      merges: list(object({ nid: NID, parts: list(ref('range')), result: ref('range'), ...LINE })),
      nodeData: list(object({ ...RANGE_AT, nid: NID, 'onNode?': NID })),
      faked: list(ref('nodeRange')),
      'single?': ref('rangeAt'),
      blocks: list(ref('nodeRange')),
      'distances?': list(NUMBERS),
      'slit?': FLAG,
      'distanceCount?': NATURAL,
      'rejected?': object({ reason: TEXT, ...LINE }),
    }),
    printed: PRINTED,
    memblock: object({
      dumps: list(
        object({
          ...LINE,
          'memorySize?': NATURAL,
          'reservedSize?': NATURAL,
          memory: list(ref('region')),
          reserved: list(ref('region')),
          physmem: list(ref('region')),
          counts: COUNTS,
          complete: FLAG,
        }),
      ),
      operations: list(ref('operation')),
    }),
    proc: PROC,
    problems: list(
      object({
        severity: { enum: ['error', 'warning'] },
        code: { enum: CODES },
        message: TEXT,
        ...LINE,
      }),
    ),
  }),
  $defs: DEFS,
};
