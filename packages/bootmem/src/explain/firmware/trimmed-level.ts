/**
 * What the firmware's map calls usable less what the kernel never takes: what it counts as present.
 *
 * Each byte that was lost goes to the first reason that covers it; lines of the log come first, what an option or the
 * reach of the kernel must have done comes last.
 */
import { intersect, isStep, normalise, subtract, totalLength } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import type { ByteSpan, Evidence, ExplainLevel } from '../../explain-result.js';
import { firmwareParts, isUsable } from './map.js';
import { LevelDraft } from '../../accounts/base/level.js';
import { presentMemory } from '../../accounts/reserved/totals.js';
import type { RowKind } from '../../accounts/base/row-kinds.js';
import { isX86, reachOf } from '../../accounts/base/subject.js';
import type { Subject } from '../../accounts/base/subject.js';

const EVERYTHING = Number.MAX_SAFE_INTEGER;
/** Lines between a complaint and the edit that it is about. */
const NEAR = 40;

type Edit = Subject['plan']['description']['firmware']['edits'][number];

/** Why bytes were lost. */
interface Reason {
  readonly kind: RowKind;
  readonly ranges: readonly ByteSpan[];
  readonly how: 'printed' | 'computed';
  readonly evidence: readonly Evidence[];
}

/**
 * The level.
 * @returns `undefined` on machines that have no map of the firmware
 */
export function* trimmedLevel(subject: Subject): Steps<ExplainLevel | undefined> {
  const { plan, quote } = subject;
  const parts = isX86(subject) ? firmwareParts(plan.description) : [];
  if (parts.length === 0) return undefined;
  yield;
  const reach = { start: reachOf(subject), end: Infinity };
  const memory = subtract(normalise(plan.derived.memory), [reach]);
  yield;
  const usable = normalise(parts.filter(isUsable));
  yield;
  const all = normalise([...usable, ...memory]);
  yield;
  const lost = subtract(all, memory);
  yield;
  const draft = new LevelDraft();
  let index = 0;
  for (const reason of reasons(subject, usable)) {
    // A reason of many ranges is as long as many of one.
    if (isStep(index) || reason.ranges.length > 1) yield;
    index++;
    draft.add({ ...reason, ranges: intersect(reason.ranges, lost) });
  }
  yield;
  const present = presentMemory(subject);
  const added = totalLength(all) - totalLength(usable);
  const whole = {
    label: 'usable in the firmware’s map',
    bytes: Math.max(totalLength(all), present.bytes),
    evidence: [
      quote.formula(
        `${totalLength(usable)} bytes usable${added === 0 ? '' : `, and ${added} that the kernel or an option made usable`}`,
      ),
    ],
  };
  return draft.finish({ id: 'trimmed', title: 'Not taken by the kernel' }, whole, present);
}

function* reasons(subject: Subject, usable: readonly ByteSpan[]): Generator<Reason> {
  const { plan, quote } = subject;
  const { firmware, printed, commandLine, options } = plan.description;
  const { pageSize } = plan;
  yield {
    kind: 'trim-low',
    ranges: [
      { start: 0, end: 65_536 },
      { start: 0xa0000, end: 0x100000 },
    ],
    how: 'computed',
    evidence: [
      quote.formula('x86 kernels never use the first page (64 KiB in some) and 0xa0000-0xfffff'),
    ],
  };
  const mtrr = printed.failures?.find(({ text }) => text.includes('MTRR'));
  for (const edit of firmware.edits) {
    if (edit.from !== undefined && edit.from !== 'usable') continue;
    const isMtrr =
      mtrr !== undefined && Math.abs(edit.line - mtrr.line) <= NEAR && edit.end > 2 ** 20;
    const isOption = edit.action === 'remove' && edit.end >= EVERYTHING;
    yield {
      kind: isMtrr ? 'trim-mtrr' : isOption ? 'trim-option' : 'trim-edit',
      ranges: [edit],
      how: 'printed',
      evidence: [
        ...(isMtrr ? [quote.at(mtrr.line, mtrr.text)] : []),
        quote.at(edit.line, wordsOf(edit)),
      ],
    };
  }
  yield {
    kind: 'trim-page',
    ranges: usable.flatMap(({ start, end }) => [
      { start, end: Math.min(end, Math.ceil(start / pageSize) * pageSize) },
      { start: Math.max(start, Math.floor(end / pageSize) * pageSize), end },
    ]),
    how: 'computed',
    evidence: [quote.formula(`parts of pages of ${pageSize} bytes at the ends of entries`)],
  };
  const reach = reachOf(subject);
  if (reach < Infinity) {
    const warning = printed.failures?.find(({ text }) => /Warning only \d+MB/.test(text));
    const zone = printed.zoneRanges.find(({ range }) => range?.end === reach);
    yield {
      kind: 'trim-reach',
      ranges: [{ start: reach, end: EVERYTHING }],
      how: 'printed',
      evidence: [
        ...(warning === undefined ? [] : [quote.at(warning.line, warning.text)]),
        quote.at(zone?.line ?? 0, `zones end at 0x${reach.toString(16)}`),
      ],
    };
  }
  const last = printed.lastPfns[0];
  if (plan.description.architecture === 'i386' && last !== undefined) {
    const end = Math.min(last.pfn, last.maxArchPfn ?? last.pfn) * pageSize;
    yield {
      kind: 'trim-reach',
      ranges: [{ start: end, end: EVERYTHING }],
      how: 'printed',
      evidence: [quote.at(last.line, `last_pfn = 0x${last.pfn.toString(16)}`)],
    };
  }
  if (firmware.modified.length > 0) {
    yield {
      kind: 'trim-edit',
      ranges: subtract(
        normalise(usable),
        normalise(firmware.modified.filter(({ kind }) => kind === 'usable')),
      ),
      how: 'printed',
      evidence: [quote.at(firmware.modified[0]!.line, 'modified: map')],
    };
  }
  if (options.mem !== undefined || options.memmap.length > 0) {
    const user = firmware.user;
    yield {
      kind: 'trim-option',
      ranges:
        user.length > 0
          ? subtract(normalise(usable), normalise(user.filter(({ kind }) => kind === 'usable')))
          : [{ start: 0, end: EVERYTHING }],
      how: user.length > 0 ? 'printed' : 'computed',
      evidence: [
        quote.at(commandLine?.line ?? 0, commandLine?.text ?? 'command line'),
        ...(user.length > 0 ? [quote.at(user[0]!.line, 'user: map')] : []),
      ],
    };
  }
}

function wordsOf({ action, start, end, to }: Edit): string {
  const range = `0x${start.toString(16)}-0x${(end - 1).toString(16)}`;
  return `e820: ${action} ${range}${to === undefined ? '' : ` ==> ${to}`}`;
}
