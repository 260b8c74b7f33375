/**
 * Facts of /proc/zoneinfo and /proc/pagetypeinfo beside the log: spans, marks, reserves, page set sizes,
 * pageblocks.
 *
 * Spans follow from the map. Marks and reserves follow from the managed pages that the kernel had when it
 * set them up: those printed at the end, less what was given back later (initrd, unused parts of the image).
 */
import { pcpBatch, pcpHigh } from '@bootmem/buddy-allocator/zones';
import type { KernelProfile } from '@bootmem/buddy-allocator/zones';
import type { ZoneinfoZone } from '@bootmem/firmware-map/types';
import type { LoadedMachine } from '../../input/types.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { isFromZoneinfo } from '../../input/from-zoneinfo.js';
import { addedMemory, grownZone } from '../added-memory.js';
import type { AddedMemory } from '../added-memory.js';
import { BOOT_ONLY_PARTS } from '../image-frees.js';
import { lateFrees, sumOfFrees } from '../late-frees.js';
import type { FreeStage } from '../late-frees.js';
import type { FactList } from '../fact-list.js';
import { pageblockFacts } from './pageblock-facts.js';
import { marksOf } from './possible-marks.js';
import type { Marks, MarkTimes } from './possible-marks.js';
import { marksAsSet, reservesAsSet, sysctlSettings } from './sysctl-settings.js';

const name = (zone: { nid: number; zone: string }): string => `node ${zone.nid} ${zone.zone}`;

/** Spans, marks, reserves, page sets, pageblocks. */
export function zoneinfoFacts(plan: LayoutPlan, facts: FactList, input?: LoadedMachine): void {
  const zones = plan.description.proc.zoneinfo ?? [];
  if (zones.length === 0) return;
  const added = addedMemory(plan, input?.blocks);
  const why = isFromZoneinfo(plan.description) ? CIRCULAR : plan.limits.guessed;
  for (const zone of zones) {
    if (why === undefined) spanFacts(plan, added, zone, facts);
    else openSpans(zone, why, facts);
  }
  let setUp = managedBefore(plan, zones, ['areas', 'devices', 'gigantic', 'late']);
  let reserved = managedBefore(plan, zones, [
    ...(['areas', 'devices', 'late'] as const),
    ...(plan.kernel.printed.reservesOf === 'marked-pages' ? (['gigantic'] as const) : []),
  ]);
  let raised = managedBefore(plan, zones, ['late']);
  if (added.blocks.length > 0) {
    // Each block that goes online sets the marks anew: at once where the kernel does it, else much later.
    if (input?.blocks?.autoOnline === false) raised = managedBefore(plan, zones, []);
    setUp = raised;
    reserved = raised;
  }
  const current =
    plan.kernel.printed.reservesOf === 'managed-pages' ||
    sysctlSettings(plan).reserveRatios !== undefined;
  reserveFacts(plan, zones, current ? zones.map((zone) => zone.managed ?? 0) : reserved, facts);
  markFacts(plan, zones, { setUp, raised }, facts);
  pageblockFacts(plan, added, facts);
}

/** Every kernel says when it gives back the parts of its image that only the boot needed. */
function showsLateFrees(plan: LayoutPlan): boolean {
  return plan.description.printed.freeing.some(({ what }) => BOOT_ONLY_PARTS.test(what));
}

/** Why marks do not follow. */
function lateReason(plan: LayoutPlan): string {
  return showsLateFrees(plan)
    ? 'pages freed late cannot be told apart'
    : 'what was given back late is not known without a whole boot log';
}

/** Memory was laid out from these very numbers. */
const CIRCULAR = 'no memory map: memory was laid out from /proc/zoneinfo itself';

function openSpans(zone: ZoneinfoZone, why: string, facts: FactList): void {
  if (zone.spanned !== undefined) facts.open('spanned pages', name(zone), zone.spanned, why);
  if (zone.present !== undefined) facts.open('present pages', name(zone), zone.present, why);
}

function spanFacts(
  plan: LayoutPlan,
  added: AddedMemory,
  zone: ZoneinfoZone,
  facts: FactList,
): void {
  if (zone.zone === 'Device') {
    deviceFacts(plan, zone, facts);
    return;
  }
  const mine = grownZone(plan, added, zone);
  if (zone.spanned !== undefined) {
    facts.compare('spanned pages', name(zone), zone.spanned, mine.spannedPages);
  }
  if (zone.present !== undefined) {
    facts.compare('present pages', name(zone), zone.present, mine.presentPages);
  }
  if (zone.startPfn !== undefined && (zone.spanned ?? 0) > 0) {
    facts.compare('zone start', name(zone), zone.startPfn, mine.startPfn);
  }
}

/** The Device zone appears when a driver claims persistent memory; it then spans exactly that. */
function deviceFacts(plan: LayoutPlan, zone: ZoneinfoZone, facts: FactList): void {
  const own = plan.devices.filter((range) => range.nid === zone.nid);
  const subject = name(zone);
  if (zone.present !== undefined) facts.compare('present pages', subject, zone.present, 0);
  if (zone.spanned === undefined) return;
  if (zone.spanned === 0 && own.length > 0) {
    facts.open(
      'spanned pages',
      subject,
      0,
      'whether a driver claims persistent memory is not in the log',
    );
    return;
  }
  if (own.length === 0) {
    if (zone.spanned === 0) facts.compare('spanned pages', subject, 0, 0);
    else
      facts.open(
        'spanned pages',
        subject,
        zone.spanned,
        'device memory added after boot, not in the map',
      );
    return;
  }
  const start = Math.min(...own.map((range) => range.startPfn));
  const end = Math.max(...own.map((range) => range.endPfn));
  const first = zone.startPfn ?? start;
  if (first < start || first + zone.spanned > end) {
    facts.open(
      'spanned pages',
      subject,
      zone.spanned,
      'device memory that is in no line of the map',
    );
    return;
  }
  facts.compare('spanned pages', subject, zone.spanned, end - start);
  if (zone.startPfn !== undefined) facts.compare('zone start', subject, zone.startPfn, start);
}

/** Managed pages of each zone before the frees of some stages; `undefined` when one is not printed. */
function managedBefore(
  plan: LayoutPlan,
  zones: readonly ZoneinfoZone[],
  stages: readonly FreeStage[],
): number[] | undefined {
  const frees = showsLateFrees(plan) ? lateFrees(plan) : undefined;
  if (frees === undefined) return undefined;
  const later = sumOfFrees(frees, stages);
  const managed: number[] = [];
  for (const zone of zones) {
    if (zone.managed === undefined) return undefined;
    managed.push(zone.managed - (later.get(`${zone.nid}/${zone.zone}`) ?? 0));
  }
  return managed;
}

function reserveFacts(
  plan: LayoutPlan,
  zones: readonly ZoneinfoZone[],
  managed: readonly number[] | undefined,
  facts: FactList,
): void {
  for (const nid of new Set(zones.map((zone) => zone.nid))) {
    const own = zones.flatMap((zone, index) => (zone.nid === nid ? [{ zone, index }] : []));
    const ours =
      managed &&
      reservesAsSet(
        plan,
        own.map(({ zone, index }) => ({ zone: zone.zone, managedPages: managed[index]! })),
      );
    for (const [index, { zone }] of own.entries()) {
      if (zone.protection === undefined) continue;
      const kernel = zone.protection.join(' ');
      const row = ours?.[index];
      if (row === undefined) facts.open('lowmem reserve', name(zone), kernel, lateReason(plan));
      else
        facts.compare(
          'lowmem reserve',
          name(zone),
          kernel,
          row.slice(0, zone.protection.length).join(' '),
        );
    }
  }
}

function markFacts(
  plan: LayoutPlan,
  zones: readonly ZoneinfoZone[],
  times: MarkTimes,
  facts: FactList,
): void {
  const profile = plan.kernel.buddy;
  const sumOfMins = zones.reduce((sum, zone) => sum + (zone.min ?? 0) - (zone.boost ?? 0), 0);
  const off = ({ marks }: Marks): number =>
    Math.abs(marks.reduce((total, mark) => total + mark.min, 0) - sumOfMins);
  // Whether huge pages are on is a build option; the nearer sum tells it.
  const all = marksOf(zones, times, { plan, profile });
  const ours =
    all &&
    [...all.hugePages, ...all.plain.toReversed()]
      .map((marks) => marksAsSet(marks, zones, { plan, profile }))
      .reduce((best, one) => (off(one) < off(best) ? one : best));
  for (const [index, zone] of zones.entries()) {
    if (zone.min === undefined || (zone.managed ?? 0) === 0) continue;
    const boost = zone.boost ?? 0;
    const kernel = [zone.min, zone.low ?? 0, zone.high ?? 0].map((mark) => mark - boost).join(' ');
    const mine = ours?.marks[index];
    if (ours === undefined || mine === undefined) {
      facts.open('watermarks', name(zone), kernel, lateReason(plan));
      continue;
    }
    facts.compare('watermarks', name(zone), kernel, `${mine.min} ${mine.low} ${mine.high}`);
    const managed = ours.managed[index]!;
    pageSetFacts(plan, zone, { managed, low: mine.low, profile }, facts);
  }
}

/** Page caches were sized from what was there first. */
const BEFORE_DEFERRED =
  'before 5.4 page sets were sized before the deferred pages came, and how many those are is not in the log';

function pageSetFacts(
  plan: LayoutPlan,
  zone: ZoneinfoZone,
  at: { managed: number; low: number; profile: KernelProfile },
  facts: FactList,
): void {
  if (zone.pcpBatch === undefined || zone.pcpHigh === undefined) return;
  const batch = pcpBatch(at.managed, at.profile, plan.pageSize / 1024);
  if (plan.description.printed.deferred.length > 0 && !plan.kernel.printed.sizesCachesAgain) {
    facts.open('page set batch', name(zone), zone.pcpBatch, BEFORE_DEFERRED);
    facts.open('page set high', name(zone), zone.pcpHigh, BEFORE_DEFERRED);
    return;
  }
  facts.compare('page set batch', name(zone), zone.pcpBatch, batch);
  const { highFraction } = sysctlSettings(plan);
  if (at.profile.pcpHigh === 'tuned') return;
  const workers = cpusFor(plan, zone.nid);
  if (workers === undefined) {
    facts.open(
      'page set high',
      name(zone),
      zone.pcpHigh,
      'the number of cpus of the node is not in the log',
    );
    return;
  }
  const { highMin } = pcpHigh({
    managedPages: at.managed,
    low: at.low,
    workers,
    batch,
    pageKbytes: plan.pageSize / 1024,
    profile: at.profile,
    ...(highFraction === undefined ? {} : { fraction: highFraction }),
  });
  facts.compare('page set high', name(zone), zone.pcpHigh, highMin);
}

/** Processors that share a zone's page sets: those of its node, all of them when it has none. */
function cpusFor(plan: LayoutPlan, nid: number): number | undefined {
  const { proc, numa, cpus } = plan.description;
  const perNode = new Map<number, number>();
  if (proc.nodes !== undefined && proc.nodes.length > 0) {
    for (const node of proc.nodes) perNode.set(node.nid, node.cpus.length);
  } else {
    for (const cpu of numa.cpus) perNode.set(cpu.nid, (perNode.get(cpu.nid) ?? 0) + 1);
    if (perNode.size === 0 && plan.layout.nodes.length === 1 && cpus.online !== undefined) {
      perNode.set(nid, cpus.online);
    }
  }
  const all = [...perNode.values()].reduce((sum, count) => sum + count, 0);
  const own = perNode.get(nid) ?? 0;
  if (own > 0) return own;
  return all > 0 ? all : undefined;
}
