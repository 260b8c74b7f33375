/** Installed memory less what the firmware keeps: what its map calls usable. */
import { intersect, isStep, normalise, totalLength } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import type { ByteSpan, ExplainLevel } from '../../explain-result.js';
import { firmwareParts, highMemory, installedMemory, isUsable } from './map.js';
import type { MapPart } from './map.js';
import { LevelDraft } from '../../accounts/base/level.js';
import type { RowInput } from '../../accounts/base/level.js';
import { presentMemory } from '../../accounts/reserved/totals.js';
import type { RowKind } from '../../accounts/base/row-kinds.js';
import { isX86 } from '../../accounts/base/subject.js';
import type { Subject } from '../../accounts/base/subject.js';

const MIB = 2 ** 20;
/** Video memory and ROMs of the first PCs: memory is hidden behind them. */
const LEGACY: ByteSpan = { start: 0xa0000, end: 0x100000 };

const HEAD = { id: 'firmware', title: 'Kept by the firmware' } as const;

/**
 * The level.
 * @returns `undefined` where nothing is known of the firmware's map and of what is installed
 */
export function* firmwareLevel(subject: Subject): Steps<ExplainLevel | undefined> {
  const { plan, quote, installed } = subject;
  const parts = isX86(subject) ? firmwareParts(plan.description) : [];
  if (parts.length === 0) {
    return installed === undefined ? undefined : onlyInstalled(subject, installed);
  }
  yield;
  const found = installedMemory(parts, installed);
  yield;
  const own = [...below(parts, found.lowEnd), ...highMemory(parts)];
  const draft = new LevelDraft();
  yield;
  for (const row of namedInside(subject, own)) draft.add(row);
  yield;
  const rows = entryRows(subject, own, found.lowEnd);
  for (const [index, row] of rows.entries()) {
    if (isStep(index)) yield;
    draft.add(row);
  }
  yield;
  const usable = totalLength(own.filter(isUsable));
  const counted = totalLength(normalise([...own, LEGACY]));
  const whole = {
    label: found.bytes === undefined ? 'memory in the firmware’s map' : 'installed memory',
    bytes: Math.max(found.bytes ?? 0, usable, found.bytes === undefined ? counted : 0),
    evidence: [
      quote.formula(
        installed !== undefined
          ? `${installed} bytes, as given`
          : (found.why ??
              'all entries of the map that are memory; how much is installed is not known'),
      ),
    ],
  };
  const entries = own.filter(isUsable).length;
  const left = {
    label: 'usable in the firmware’s map',
    bytes: usable,
    evidence: [quote.formula(`${entries} entries that are usable`)],
  };
  yield;
  return draft.finish(HEAD, whole, left);
}

function onlyInstalled(subject: Subject, installed: number): ExplainLevel {
  const present = presentMemory(subject);
  const whole = {
    label: 'installed memory',
    bytes: Math.max(installed, present.bytes),
    evidence: [subject.quote.formula(`${installed} bytes, as given`)],
  };
  return new LevelDraft().finish(HEAD, whole, present);
}

function below(parts: readonly MapPart[], end: number): MapPart[] {
  return parts.flatMap((part) =>
    part.start >= end || part.owner.kind === 'persistent'
      ? []
      : [{ ...part, end: Math.min(part.end, end) }],
  );
}

/** What other lines say of what lies in reserved entries: graphics, runtime services. */
function namedInside({ plan, quote }: Subject, own: readonly MapPart[]): RowInput[] {
  const kept = normalise(own.filter((part) => !isUsable(part)));
  const { printed, firmware } = plan.description;
  const rows: RowInput[] = [];
  rows.push({
    kind: 'firmware-legacy',
    ranges: [LEGACY],
    how: 'computed',
    evidence: [quote.formula('0xa0000-0xfffff hides memory behind video memory and ROMs')],
  });
  for (const use of printed.uses ?? []) {
    if (use.what !== 'graphics' || use.start === undefined) continue;
    const range = { start: use.start, end: use.start + (use.bytes ?? 0) };
    rows.push({
      kind: 'firmware-graphics',
      ranges: intersect([range], kept),
      how: 'printed',
      evidence: [quote.at(use.line, 'Reserving Intel graphics memory')],
    });
  }
  const runtime = firmware.efi.filter(({ type }) => type === 5 || type === 6);
  rows.push({
    kind: 'firmware-runtime',
    ranges: intersect(runtime, kept),
    how: 'printed',
    evidence: runtime.map((entry) => quote.at(entry.line, entry.name)),
  });
  return rows;
}

const KINDS: Readonly<Record<string, RowKind>> = {
  'acpi-data': 'firmware-acpi-data',
  'acpi-nvs': 'firmware-acpi-nvs',
  unusable: 'firmware-unusable',
  'soft-reserved': 'firmware-soft-reserved',
  persistent: 'firmware-persistent',
};

/** The entries: each large reserved one has a row, small ones share one, other kinds have one each. */
function entryRows({ quote }: Subject, own: readonly MapPart[], lowEnd: number): RowInput[] {
  const groups = new Map<string, { kind: RowKind; of?: string; parts: MapPart[] }>();
  for (const part of own) {
    if (isUsable(part)) continue;
    const known = KINDS[part.owner.kind];
    const isLarge = part.end - part.start >= MIB;
    // What reaches up to where memory ends below devices is the chipset's: graphics, system management.
    const isTail = part.end === lowEnd && known === undefined;
    const kind =
      known ?? (isTail ? 'firmware-chipset' : isLarge ? 'firmware-reserved' : 'firmware-small');
    const of = kind === 'firmware-reserved' ? hex(part) : undefined;
    const key = `${kind} ${of ?? ''}`;
    const group = groups.get(key) ?? { kind, ...(of === undefined ? {} : { of }), parts: [] };
    group.parts.push(part);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ kind, of, parts }) => ({
    kind,
    ...(of === undefined ? {} : { of }),
    ranges: parts,
    how: 'printed',
    evidence: parts.map(({ owner }) => quote.at(owner.line, `${hex(owner)} ${owner.text}`)),
  }));
}

function hex({ start, end }: ByteSpan): string {
  return `0x${start.toString(16)}-0x${(end - 1).toString(16)}`;
}
