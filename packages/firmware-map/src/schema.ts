/**
 * The JSON Schema (draft 2020-12) of a description, as data. The file `schema/machine-description.schema.json` of
 * this package is this very object; a test keeps the two equal. {@link checkValue} reads the same object, so what
 * is published is what is checked.
 */

/** The part of JSON Schema that is used here. */
export interface Schema {
  readonly [keyword: `$${string}`]: unknown;
  readonly title?: string;
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly const?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const NATURAL: Schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const TEXT: Schema = { type: 'string' };
const FLAG: Schema = { type: 'boolean' };
const NID: Schema = { type: 'integer', minimum: 0, maximum: 1023 };
const NUMBERS: Schema = { type: 'array', items: NATURAL, maxItems: 65_536 };
const COUNTS: Schema = { type: 'object', additionalProperties: NATURAL };
const ZONE: Schema = { enum: ['DMA', 'DMA32', 'Normal', 'HighMem', 'Movable', 'Device'] };
const KIND: Schema = {
  enum: [
    'usable',
    'reserved',
    'acpi-data',
    'acpi-nvs',
    'unusable',
    'persistent',
    'soft-reserved',
    'unaccepted',
    'gap',
    'other',
  ],
};

// Names that end in "?" are optional.
function object(fields: Readonly<Record<string, Schema>>): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const [name, schema] of Object.entries(fields)) {
    const plain = name.replace(/\?$/, '');
    properties[plain] = schema;
    if (plain === name) required.push(name);
  }
  return { type: 'object', properties, required, additionalProperties: false };
}

function list(items: Schema): Schema {
  return { type: 'array', items, maxItems: 1 << 17 };
}

function ref(name: string): Schema {
  return { $ref: `#/$defs/${name}` };
}

const RANGE = { start: NATURAL, end: NATURAL };
const LINE = { line: NATURAL };
const RANGE_AT = { ...RANGE, ...LINE };
const NODE_RANGE = object({ ...RANGE_AT, nid: NID });

const DEFS: Readonly<Record<string, Schema>> = {
  range: object(RANGE),
  rangeAt: object(RANGE_AT),
  nodeRange: NODE_RANGE,
  mapEntry: object({
    ...RANGE_AT,
    kind: KIND,
    'typeNumber?': NATURAL,
    text: TEXT,
    'late?': FLAG,
    provider: TEXT,
  }),
  mapEdit: object({
    ...RANGE_AT,
    action: { enum: ['update', 'remove'] },
    'from?': KIND,
    'to?': KIND,
    by: { enum: ['e820', 'efi'] },
    'late?': FLAG,
  }),
  efiEntry: object({ ...RANGE_AT, 'type?': NATURAL, name: TEXT, attributes: list(TEXT) }),
  region: object({ ...RANGE_AT, 'nid?': NID, flags: NATURAL }),
  operation: {
    anyOf: [
      object({
        ...RANGE_AT,
        op: { enum: ['add', 'reserve', 'remove', 'free', 'physmem-add'] },
        caller: TEXT,
        'nid?': NID,
        'flags?': NATURAL,
      }),
      object({
        ...LINE,
        op: { const: 'alloc' },
        kernelName: TEXT,
        size: NATURAL,
        align: NATURAL,
        'nid?': NID,
        from: NATURAL,
        maxAddr: NATURAL,
        caller: TEXT,
      }),
      object({
        ...RANGE_AT,
        op: { const: 'grow' },
        list: { enum: ['memory', 'reserved', 'physmem'] },
        regions: NATURAL,
      }),
    ],
  },
  amount: { anyOf: [object({ bytes: NATURAL }), object({ percent: NATURAL })] },
  numaOption: {
    anyOf: [
      object({ mode: { enum: ['off', 'noacpi', 'nohmat', 'on'] } }),
      object({ mode: { const: 'fake' }, text: TEXT, count: NATURAL, uniform: FLAG }),
      object({ mode: { const: 'fake' }, text: TEXT, size: NATURAL }),
    ],
  },
};

const OPTIONS = object({
  'mem?': NATURAL,
  memmap: list(
    object({
      text: TEXT,
      form: {
        enum: ['exactmap', 'limit', 'usable', 'acpi', 'reserved', 'persistent', 'change'],
      },
      'size?': NATURAL,
      'start?': NATURAL,
      'oldType?': NATURAL,
      'newType?': NATURAL,
    }),
  ),
  'kernelcore?': { anyOf: [ref('amount'), object({ mirror: { const: true } })] },
  'movablecore?': ref('amount'),
  movableNode: FLAG,
  numa: list(ref('numaOption')),
  crashkernel: list(
    object({
      text: TEXT,
      'size?': NATURAL,
      'offset?': NATURAL,
      'where?': { enum: ['high', 'low', 'cma'] },
      'steps?': list(object({ start: NATURAL, 'end?': NATURAL, size: NATURAL })),
    }),
  ),
  hugepages: list(
    object({
      'pageBytes?': NATURAL,
      'count?': NATURAL,
      'perNode?': list(object({ nid: NATURAL, count: NATURAL })),
    }),
  ),
  'defaultHugepageSize?': NATURAL,
  'acceptMemory?': { enum: ['lazy', 'eager'] },
  memblockDebug: FLAG,
  'logBufLen?': NATURAL,
  efiDebug: FLAG,
  noSoftReserve: FLAG,
  'efiFakeMem?': TEXT,
  addEfiMemmap: FLAG,
  'initOnAlloc?': FLAG,
  'initOnFree?': FLAG,
  'shuffle?': FLAG,
  'highmem?': NATURAL,
  'cma?': NATURAL,
  'maxCpus?': NATURAL,
  'nrCpus?': NATURAL,
  'possibleCpus?': NATURAL,
  'vmalloc?': NATURAL,
  'minMemoryBlockSize?': NATURAL,
  'memmapOnMemory?': TEXT,
  'memhpDefaultState?': TEXT,
});

const PRINTED = object({
  zoneRanges: list(object({ zone: ZONE, 'range?': ref('range'), ...LINE })),
  movableStarts: list(object({ nid: NID, start: NATURAL, ...LINE })),
  earlyRanges: list(ref('nodeRange')),
  nodeSetups: list(object({ nid: NID, 'range?': ref('range'), ...LINE })),
  unavailable: list(object({ pages: NATURAL, 'nid?': NID, 'zone?': ZONE, ...LINE })),
  nodePages: list(
    object({
      nid: NID,
      totalPages: NATURAL,
      zones: list(
        object({
          zone: ZONE,
          'pages?': NATURAL,
          'lifoBatch?': NATURAL,
          'memmapPages?': NATURAL,
          'reservedPages?': NATURAL,
        }),
      ),
      ...LINE,
    }),
  ),
  fallbackOrders: list(object({ nid: NID, order: NUMBERS, ...LINE })),
  'policyZone?': object({ zone: ZONE, ...LINE }),
  'zonelists?': object({
    count: NATURAL,
    'mobility?': FLAG,
    'totalPages?': NATURAL,
    'order?': { enum: ['zone', 'node'] },
    ...LINE,
  }),
  zonelistOrders: list(
    object({
      list: { enum: ['general', 'thisnode'] },
      nid: NID,
      zone: ZONE,
      entries: list(object({ nid: NATURAL, zone: ZONE })),
      ...LINE,
    }),
  ),
  memmapInit: list(
    object({ nid: NID, zoneIndex: NATURAL, startPfn: NATURAL, endPfn: NATURAL, ...LINE }),
  ),
  'memory?': object({
    availableKb: NATURAL,
    totalKb: NATURAL,
    partsKb: COUNTS,
    'beforeDeferred?': FLAG,
    ...LINE,
  }),
  deferred: list(object({ nid: NID, 'pages?': NATURAL, ms: NATURAL, ...LINE })),
  deviceInit: list(object({ pages: NATURAL, ms: NATURAL, ...LINE })),
  freeing: list(object({ what: TEXT, kb: NATURAL, ...LINE })),
  hugetlb: list(object({ pageBytes: NATURAL, preallocated: NATURAL, ...LINE })),
  'blockSize?': object({ bytes: NATURAL, ...LINE }),
  'ramdisk?': ref('rangeAt'),
  crashkernel: list(ref('rangeAt')),
  lastPfns: list(object({ pfn: NATURAL, 'maxArchPfn?': NATURAL, ...LINE })),
  acpiTables: list(object({ ...RANGE_AT, table: TEXT })),
});

const PROC = object({
  'iomem?': list(object({ ...RANGE_AT, name: TEXT, depth: NATURAL })),
  'firmwareMemmap?': list(ref('mapEntry')),
  'zoneinfo?': list(
    object({
      nid: NID,
      zone: ZONE,
      'free?': NATURAL,
      'boost?': NATURAL,
      'min?': NATURAL,
      'low?': NATURAL,
      'high?': NATURAL,
      'promo?': NATURAL,
      'spanned?': NATURAL,
      'present?': NATURAL,
      'managed?': NATURAL,
      'cma?': NATURAL,
      'protection?': NUMBERS,
      'startPfn?': NATURAL,
      counters: COUNTS,
      'pcpHigh?': NATURAL,
      'pcpBatch?': NATURAL,
      ...LINE,
    }),
  ),
  'buddyinfo?': list(object({ nid: NID, zone: ZONE, counts: NUMBERS, ...LINE })),
  'pagetypeinfo?': object({
    'pageblockOrder?': NATURAL,
    'pagesPerBlock?': NATURAL,
    free: list(
      object({ nid: NID, zone: ZONE, type: TEXT, counts: NUMBERS, capped: FLAG, ...LINE }),
    ),
    blocks: list(object({ nid: NID, zone: ZONE, counts: COUNTS, ...LINE })),
  }),
  'meminfo?': COUNTS,
  'nodes?': list(
    object({ nid: NID, cpus: NUMBERS, distances: NUMBERS, 'memTotalKb?': NATURAL, ...LINE }),
  ),
});

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
    'architecture?': { enum: ['x86_64', 'i386', 'arm64', 'arm', 'ppc64', 'riscv64', 's390x'] },
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
