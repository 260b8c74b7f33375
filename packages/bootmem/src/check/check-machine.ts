/**
 * Compares one log with itself: from its inputs (firmware map, node tables, options, memblock operations) we
 * compute what a kernel would report; from its outputs we read what the kernel did report.
 *
 * The printed early ranges, zone ranges, … are never used as inputs here; where an output is the only
 * source of something (zone boundaries of arm64), the facts that would be circular are "not derivable".
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { atOnce } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { BootmemError } from '../errors.js';
import type { LoadedMachine } from '../input/types.js';
import { planLayoutSteps } from '../plan/layout-plan.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { findingsSteps } from '../findings/find.js';
import type { CheckReport } from '../result.js';
import { agreed } from './agreed.js';
import { counted, FactList } from './fact-list.js';
import { doubtsOf } from './lost/doubts.js';
import { possibleReleases } from '../plan/eras.js';
import {
  earlyRangeFacts,
  memmapInitFacts,
  memoryLineFacts,
  movableFacts,
  nodePagesFacts,
  nodeSetupFacts,
  zoneRangeFacts,
} from './facts/layout-facts.js';
import { unavailableFacts } from './facts/unavailable-facts.js';
import { zoneinfoFacts } from './facts/zoneinfo-facts.js';
import { memblockFacts } from './facts/memblock-facts.js';
import { hotplugFacts } from './facts/hotplug-facts.js';
import { zonelistFacts } from './facts/zonelist-facts.js';
import { deferredFacts } from './facts/deferred-facts.js';

/** A family of facts. */
type FactFamily = (plan: LayoutPlan, facts: FactList, input: LoadedMachine) => Steps<void>;

/** A family that is worked out at once. */
function oneStep(
  family: (plan: LayoutPlan, facts: FactList, input: LoadedMachine) => void,
): FactFamily {
  // eslint-disable-next-line require-yield -- its end is the only place to interrupt it
  return function* (plan, facts, input) {
    family(plan, facts, input);
  };
}

const FAMILIES: readonly FactFamily[] = [
  earlyRangeFacts,
  oneStep(nodeSetupFacts),
  oneStep(zoneRangeFacts),
  oneStep(movableFacts),
  oneStep(memmapInitFacts),
  oneStep(unavailableFacts),
  oneStep(nodePagesFacts),
  oneStep(memoryLineFacts),
  oneStep(zonelistFacts),
  oneStep(deferredFacts),
  oneStep(zoneinfoFacts),
  memblockFacts,
];

/** The report of a log that cannot be used. */
export function rejected(source: string, reason: string): CheckReport {
  return {
    schema: 'bootmem/check',
    version: 1,
    source,
    kernel: 'unknown',
    rejected: reason,
    equal: 0,
    differs: 0,
    notDerivable: 0,
    facts: [],
    findings: [],
    notes: [],
  };
}

/** Whether the description has anything that our results could follow from, other than results. */
function hasInputs(description: MachineDescription): boolean {
  const { firmware, proc, memblock, source } = description;
  return (
    firmware.map.length > 0 ||
    firmware.efi.length > 0 ||
    firmware.user.length > 0 ||
    firmware.modified.length > 0 ||
    (firmware.banks?.length ?? 0) > 0 ||
    memblock.dumps.length > 0 ||
    (proc.iomem?.length ?? 0) > 0 ||
    (proc.firmwareMemmap?.length ?? 0) > 0 ||
    proc.memblock !== undefined ||
    source.format === 'synthetic'
  );
}

/**
 * Compares a loaded machine.
 * @param input  the machine
 * @remarks without a release in the input, it is compared as every release that its form allows: what all of them
 *   agree on is a fact, the rest depends on the release
 */
export function checkMachine(input: LoadedMachine): CheckReport {
  return atOnce(checkSteps(input));
}

/** The same, to be interrupted. */
export function* checkSteps(input: LoadedMachine): Steps<CheckReport> {
  const { description } = input;
  if (description.kernel !== undefined) return yield* checkKnown(input);
  const reports: CheckReport[] = [];
  for (const release of possibleReleases(description)) {
    const kernel = { release, numbers: release.split('.').map(Number), line: 0 };
    reports.push(yield* checkKnown({ ...input, description: { ...description, kernel } }));
    yield;
  }
  return { ...agreed(reports), kernel: 'unknown' };
}

/** Compares a machine whose release is known, or taken to be one. */
function* checkKnown(input: LoadedMachine): Steps<CheckReport> {
  const { description } = input;
  const fromMap = hasInputs(description);
  const notes = [...input.notes];
  let plan: LayoutPlan;
  try {
    plan = yield* planLayoutSteps(description, 'auto', fromMap ? 'firmware' : 'early-ranges');
  } catch (error) {
    if (error instanceof BootmemError) return rejected(input.source, error.message);
    throw error;
  }
  yield;
  const facts = new FactList(yield* doubtsOf(plan));
  yield;
  for (const problem of plan.derived.problems) notes.push(problem.message);
  if (plan.memoryModel === 'flatmem') {
    notes.push('the printed holes fit FLATMEM (one array of descriptors), not SPARSEMEM');
  }
  if (!fromMap) {
    notes.push(
      'the log holds no firmware map: memory was taken from the printed early node ranges',
    );
    for (const line of description.printed.earlyRanges) {
      facts.open(
        'early node range',
        `node ${line.nid}`,
        `0x${line.start.toString(16)}-0x${(line.end - 1).toString(16)}`,
        'no firmware map in the log',
      );
    }
  }
  for (const family of FAMILIES) {
    if (!fromMap && family === earlyRangeFacts) continue;
    yield* family(plan, facts, input);
    yield;
  }
  hotplugFacts(plan, input.steps ?? [], facts);
  yield;
  const findings = yield* findingsSteps(plan, input.lines);
  return {
    schema: 'bootmem/check',
    version: 1,
    source: input.source,
    kernel: description.kernel?.release ?? 'unknown',
    ...counted(facts.facts),
    findings,
    notes,
  };
}
