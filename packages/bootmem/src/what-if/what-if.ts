/**
 * The same machine, booted with other options or by another kernel's rules.
 *
 * ```
 * log ─ description ─▶ plan ─────▶ state at hand-over ─▶ figures ─┐
 *           │ changes                                             ├▶ rows
 *           └▶ other description ─▶ plan ─▶ rerun, or estimate ─▶ figures ─┘
 * ```
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { atOnce } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { handoverSteps } from '../accounts/handover.js';
import type { LoadedMachine } from '../input/types.js';
import { planLayoutSteps, wholeMemory } from '../plan/layout-plan.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { holesOfModel } from '../plan/zones/memory-model.js';
import type { MemoryModel } from '../plan/zones/memory-model.js';
import { releaseName } from '../plan/profile.js';
import type { WhatIfReport } from '../what-if-result.js';
import { stateOfBoot } from './boot-state.js';
import type { BootState } from './boot-state.js';
import { answersTo } from './catalogue.js';
import type { Changes } from './changes.js';
import { compareFigures } from './compare.js';
import { figuresOf } from './figures/figures.js';
import { otherBoot } from './other-boot.js';
import { wishesOf } from './requests/from-options.js';
import { randomPlaces } from './random-places.js';
import type { RerunInput } from './rerun/types.js';
import type { WishOutcome } from './requests/wishes.js';

const RANDOM_PLACE =
  'without nokaslr the image may lie elsewhere at each boot: it is taken to lie where it did today';
const ANOTHER_KERNEL = 'another kernel’s image and early allocations are not in this log';

/**
 * Compares a boot with the one that it could have been.
 * @param input    the machine, as its log shows it
 * @param changes  what shall be different
 * @throws BootmemError ERR_BOOTMEM_NO_MEMORY_MAP when no memory follows from the log, or with the new options; ERR_BOOTMEM_USAGE
 *   for an option to remove that is not there, or a release that is none
 */
export function whatIf(input: LoadedMachine, changes: Changes): WhatIfReport {
  return atOnce(whatIfSteps(input, changes));
}

/** The same, to be interrupted. */
export function* whatIfSteps(input: LoadedMachine, changes: Changes): Steps<WhatIfReport> {
  const { description } = input;
  const plan = yield* planLayoutSteps(description);
  const other = otherBoot(description, changes);
  const same = otherBoot(description, {});
  const asked = wishesOf(other.description, description);
  yield;
  const before = yield* bootOf(plan, same.description, { model: plan.memoryModel });
  yield;
  const after = yield* bootOf(plan, other.description, {
    model: changes.memoryModel ?? plan.memoryModel,
    differs: other.differs,
  });
  yield;
  const logged = {
    memblock: (yield* handoverSteps(plan)).memblock,
    description: withPlaces(description, before.state),
    outcomes: asPrinted(before.state.outcomes, description),
  };
  const hasHugePages = raisesMarks(description);
  const text = (one: MachineDescription): string => one.commandLine?.text ?? '';
  const isFixed = /(?:^|\s)nokaslr(?:\s|$)/.test(text(other.description));
  yield;
  const random = isFixed ? undefined : yield* randomPlaces(after.input, after.state);
  const today = { ...before.state, ...logged };
  const figures = [
    yield* figuresOf(plan, today, { hasHugePages, unmodelled: [] }),
    yield* figuresOf(after.plan, after.state, { hasHugePages, unmodelled: asked.unmodelled }),
  ] as const;
  yield;
  const rows = compareFigures(...figures, {
    layout: other.doubts,
    state: [
      ...(other.differs.kernel ? [ANOTHER_KERNEL] : []),
      ...after.state.doubts,
      ...(isFixed ? [] : [RANDOM_PLACE]),
    ],
    ...(random === undefined ? {} : { random }),
  });
  const { reproduced } = before.state;
  return {
    schema: 'bootmem/what-if',
    version: 1,
    source: input.source,
    architecture: description.architecture ?? 'unknown',
    before: { kernel: description.kernel?.release ?? 'unknown', commandLine: text(description) },
    after: {
      kernel: other.differs.kernel
        ? releaseName(after.plan.kernel.release)
        : (description.kernel?.release ?? 'unknown'),
      commandLine: text(other.description),
    },
    ...answersTo(text(description), text(other.description)),
    ...(reproduced === undefined ? {} : { reproduced }),
    rows,
    notes: [...input.notes, ...after.plan.derived.problems.map(({ message }) => message)],
  };
}

/** Whether today's watermarks look raised for huge pages, a choice of the build; without them in the log: most are. */
function raisesMarks({ proc, pageSize = 4096 }: MachineDescription): boolean {
  const zones = proc.zoneinfo ?? [];
  const managed = zones.reduce((sum, zone) => sum + (zone.managed ?? 0), 0) * pageSize;
  if (managed < 2 ** 29) return true;
  const min = zones.reduce((sum, zone) => sum + (zone.min ?? 0) - (zone.boost ?? 0), 0) * pageSize;
  // Without them the minimum is 4 times the root of memory in KiB, here in bytes: well below what huge pages ask for.
  return min > 1.5 * 1024 * Math.sqrt((managed / 1024) * 16);
}

interface Boot {
  /** What the state was worked out from. */
  readonly input: RerunInput;
  readonly plan: LayoutPlan;
  readonly state: BootState;
}

interface Way {
  readonly model: MemoryModel;
  readonly differs?: { readonly map: boolean; readonly nodes: boolean };
}

/** A boot's layout, then its state, then the layout once more with what the state tells (which nodes hold something). */
function* bootOf(today: LayoutPlan, description: MachineDescription, way: Way): Steps<Boot> {
  const first = yield* layoutOf(description, way.model);
  const { wishes } = wishesOf(description, today.description);
  const differs = way.differs ?? { map: false, nodes: false };
  const input: RerunInput = { today, other: first, wishes, differs };
  yield;
  const state = yield* stateOfBoot(input);
  yield;
  return { input, plan: yield* layoutOf(state.description, way.model), state };
}

/** The layout, in a memory model that nothing printed decides here. */
function* layoutOf(description: MachineDescription, model: MemoryModel): Steps<LayoutPlan> {
  const plan = yield* planLayoutSteps(description);
  if (plan.memoryModel === model) return plan;
  const { layout, pagesPerSection } = plan;
  const all = { memory: wholeMemory(plan), pagesPerSection };
  const { holes, descriptors } = holesOfModel(model, description.architecture, layout, all);
  return { ...plan, memoryModel: model, holes, descriptors };
}

/** What today's options got is what the log says they got. */
function asPrinted(
  outcomes: readonly WishOutcome[],
  { printed }: MachineDescription,
): WishOutcome[] {
  const crash = printed.crashkernel.toSorted((a, b) => b.start - a.start);
  const areas = (printed.cma ?? []).flatMap(({ start, bytes }) =>
    start === undefined ? [] : [{ start, end: start + bytes }],
  );
  return [
    ...outcomes.filter(
      ({ kind }) =>
        !(kind === 'crashkernel' && crash.length > 0) && !(kind === 'cma' && areas.length > 0),
    ),
    ...crash.map(({ start, end }, index): WishOutcome => ({
      id: index === 0 ? 'crashkernel' : 'crashkernel low',
      kind: 'crashkernel',
      label: index === 0 ? 'crash kernel' : 'crash kernel, low part',
      asked: end - start,
      ranges: [{ start, end }],
    })),
    ...areas.map((range, index): WishOutcome => ({
      id: index === 0 ? 'cma' : `cma ${index + 1}`,
      kind: 'cma',
      label: index === 0 ? 'contiguous area (cma)' : `contiguous area ${index + 1}`,
      asked: range.end - range.start,
      ranges: [range],
    })),
  ];
}

/** Places of today's boot are those of its log. */
function withPlaces(description: MachineDescription, state: BootState): MachineDescription {
  const { ramdisk } = state.description.printed;
  return {
    ...description,
    printed: { ...description.printed, ...(ramdisk === undefined ? {} : { ramdisk }) },
  };
}
