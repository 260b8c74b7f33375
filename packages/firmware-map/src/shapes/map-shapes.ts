/** Lines of firmware maps, what the kernel changes in them, and where memory ends. */
import { readKind } from '../base/range-kinds.js';
import { keepLastPfn } from '../records/total-lines.js';
import { listOf } from '../records/map-lines.js';
import type { Shape } from './shape-tree.js';

const PROVIDERS = [
  'BIOS-e820',
  'BIOS-e801',
  'BIOS-88',
  'Xen',
  'user',
  'modified',
  'reserve setup_data',
  'extended',
];
/** Kinds as the kernel words them, and as it does from 7.x on. */
const WORDS = [
  'usable',
  'reserved',
  'ACPI data',
  'ACPI NVS',
  'unusable',
  'persistent (type 7)',
  'persistent (type 12)',
  'soft reserved',
  'type 20',
  'System RAM',
  'device reserved',
];
const KINDS = WORDS.map((text) => ({ text, kind: readKind(text)! }));

function entry(provider: string, text: string, kind: ReturnType<typeof readKind> & object): Shape {
  return {
    text: `${provider}: [mem 0x%x-0x%x]%_${text}`,
    take(fields, draft, line) {
      if (!fields.isRange(0)) return false;
      const start = fields.numbers[0]!;
      const end = fields.numbers[1]! + 1;
      const list = listOf(provider, draft);
      if (kind.typeNumber === undefined && !draft.mapHandedOver) {
        draft.keepOwn(list, { start, end, kind: kind.kind, text, provider, line }, line);
      } else {
        const late = draft.mapHandedOver ? { late: true } : {};
        draft.keepOwn(list, { start, end, ...kind, text, ...late, provider, line }, line);
      }
      return true;
    },
  };
}

function edit(action: 'update' | 'remove', words: string, from: string, to?: string): Shape {
  const kinds = {
    from: readKind(from)!.kind,
    ...(to === undefined ? {} : { to: readKind(to)!.kind }),
  };
  return {
    text: `e820: ${action} [mem 0x%x-0x%x] ${words}`,
    take(fields, draft, line) {
      if (!fields.isRange(0)) return false;
      const start = fields.numbers[0]!;
      const end = fields.numbers[1]! + 1;
      const late = draft.mapHandedOver ? { late: true } : {};
      const record = { start, end, action, ...kinds, by: 'e820' as const, ...late, line };
      draft.keepOwn(draft.edits, record, line);
      return true;
    },
  };
}

const lastPfns = ['', 'e820: '].flatMap((begin): Shape[] => [
  {
    text: `${begin}last_pfn = 0x%x`,
    take(fields, draft, line) {
      keepLastPfn(draft, fields.numbers[0]!, undefined, line);
      return true;
    },
  },
  {
    text: `${begin}last_pfn = 0x%x max_arch_pfn = 0x%x`,
    take(fields, draft, line) {
      keepLastPfn(draft, fields.numbers[0]!, fields.numbers[1], line);
      return true;
    },
  },
]);

/** Shapes of map lines. */
export const MAP_SHAPES: readonly Shape[] = [
  ...PROVIDERS.flatMap((provider) => KINDS.map(({ text, kind }) => entry(provider, text, kind))),
  ...WORDS.map((from) => edit('remove', from, from)),
  ...WORDS.flatMap((from) => WORDS.map((to) => edit('update', `${from} ==> ${to}`, from, to))),
  ...lastPfns,
];
