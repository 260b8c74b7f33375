/** Descriptors of the EFI memory map: the same few kinds of memory, very often. */
import { efiKind, UNACCEPTED, type EfiKind } from '../records/map-lines.js';
import type { Draft } from '../records/draft.js';
import type { Fields } from './fields.js';
import type { Shape } from './shape-tree.js';

/** Kinds by what stands between the brackets, and how many are remembered. */
const KINDS = new Map<string, EfiKind>();
const MAX_KINDS = 256;

/** `undefined` where a bar is missing between a name and its attributes. */
function kindOf(text: string): EfiKind | undefined {
  const known = KINDS.get(text);
  const bar = text.indexOf('|');
  if (known !== undefined || bar <= 0) return known;
  const kind = efiKind(text.slice(0, bar), text.slice(bar + 1));
  if (KINDS.size < MAX_KINDS) KINDS.set(text, kind);
  return kind;
}

function keep(fields: Fields, rangeAt: number, draft: Draft, line: number): boolean {
  const kind = fields.isRange(rangeAt) ? kindOf(fields.text) : undefined;
  if (kind === undefined) return false;
  const start = fields.numbers[rangeAt]!;
  const end = fields.numbers[rangeAt + 1]! + 1;
  const attributes = [...kind.attributes];
  draft.keepOwn(draft.efi, { start, end, ...kind, attributes, line }, line);
  if (kind.type === UNACCEPTED) draft.keepOwn(draft.unaccepted, { start, end, line }, line);
  return true;
}

const numbered = ['MB', 'KB'].map((unit): Shape => ({
  text: `efi:%_mem%d:%_[%t]%_range=[0x%x-0x%x] (%d${unit})`,
  take: (fields, draft, line) => keep(fields, 1, draft, line),
}));

/** Only the architectures that share their EFI code print it this way. */
const shared: Shape = {
  text: 'efi:%_0x%x-0x%x [%t]',
  take(fields, draft, line) {
    if (!keep(fields, 0, draft, line)) return false;
    draft.vote('arm64');
    return true;
  },
};

/** Shapes of EFI's lines. */
export const EFI_SHAPES: readonly Shape[] = [...numbered, shared];
