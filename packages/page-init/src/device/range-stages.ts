/**
 * The stages in which a device range comes into use, each with the way back.
 *
 * ```
 *   index ─▶ attributes ─▶ shadow ─▶ [ linear mapping ─▶ subsections ─▶ zone ] ─▶ sections ─▶ altmap
 *                                          with the hotplug lock held
 * ```
 * The lock protects what the kernel's page tables and subsections have in common with other ranges; what belongs to the
 * range alone needs none.
 * Source: reference "Mapping flow".
 */
import type { Memmap, PfnRange } from '@bootmem/memmap';
import { PageInitError } from '../base/errors.js';
import type { HotplugLock } from '../hotplug/hotplug-lock.js';
import type { SubsectionMap } from '../hotplug/subsections.js';
import type { Altmap } from './altmap.js';
import { TYPE_RULES, type TypeRule } from './checks.js';
import { DeviceDescriptors, type HolePart } from './descriptors.js';
import type { DeviceMapping } from './mapping.js';
import type { RangeRegistry } from './registry.js';
import type { DeviceBackend, LogLine } from './types.js';
import { UndoList } from './undo-list.js';

/** Where ranges come into use. */
interface Place {
  readonly memmap: Memmap;
  readonly subsections: SubsectionMap;
  readonly index: RangeRegistry<DeviceMapping>;
  readonly lock: HotplugLock;
  readonly backend: DeviceBackend;
  readonly onLog: (line: LogLine) => void;
  /** Of one page. */
  readonly descriptorBytes: number;
}

/** Those of one device memory's ranges. */
export class RangeStages {
  readonly #place: Place;
  readonly #descriptors: DeviceDescriptors;

  constructor(place: Place) {
    this.#place = place;
    this.#descriptors = new DeviceDescriptors(
      place.memmap,
      place.subsections,
      (span) => place.index.overlapping(span) !== undefined,
    );
  }

  /**
   * Takes a range into use.
   * @param onTaken called with the hotplug lock held, when the range is this mapping's alone
   * @returns the way back
   * @throws what a stage throws; nothing is left behind
   */
  add(
    mapping: DeviceMapping,
    span: PfnRange,
    altmap: Altmap | undefined,
    onTaken: () => void,
  ): UndoList {
    const undo = new UndoList();
    try {
      this.#connect(mapping, span, undo);
      this.#place.lock.withLock(() => {
        this.#take(span, TYPE_RULES[mapping.request.type], undo);
        onTaken();
      });
      this.#addSections(span, undo);
      if (altmap !== undefined) this.#useAltmap(altmap, span, undo);
    } catch (error) {
      undo.unwind();
      throw error;
    }
    return undo;
  }

  /** Everything about a range that needs no lock: its place in the index, its attributes, its shadow. */
  #connect(mapping: DeviceMapping, span: PfnRange, undo: UndoList): void {
    const { backend, index } = this.#place;
    const { linear, protection } = TYPE_RULES[mapping.request.type];
    undo.step(
      () => {
        index.insert(span, mapping);
      },
      () => {
        index.remove(span);
      },
    );
    undo.step(
      () => backend.trackAttributes?.(span, protection),
      () => backend.untrackAttributes?.(span),
    );
    if (backend.addressable?.(span.startPfn, span.endPfn) === false) {
      throw new PageInitError('ERR_DEVICE_ARGUMENT', 'the range cannot be addressed', {
        startPfn: span.startPfn,
        endPfn: span.endPfn,
        errno: 'EINVAL',
      });
    }
    if (!linear) return;
    undo.step(
      () => backend.addShadow?.(span),
      () => backend.removeShadow?.(span),
    );
  }

  /** Kernel mapping, and the range's subsections for this mapping alone; called with the hotplug lock held. */
  #take(span: PfnRange, rule: TypeRule, undo: UndoList): void {
    const { backend, lock, subsections } = this.#place;
    if (rule.linear) {
      undo.step(
        () => backend.mapLinear?.(span, rule.protection),
        () => {
          lock.withLock(() => backend.unmapLinear?.(span));
        },
      );
    }
    undo.step(
      () => {
        subsections.activate(span);
      },
      () => {
        lock.withLock(() => {
          subsections.deactivate(span);
        });
      },
    );
  }

  /** Presence of the range's sections; their owner needs no lock. */
  #addSections(span: PfnRange, undo: UndoList): void {
    let holes: readonly HolePart[] = [];
    undo.step(
      () => {
        holes = this.#descriptors.add(span);
      },
      () => {
        this.#descriptors.remove(span, holes);
      },
    );
  }

  #useAltmap(altmap: Altmap, { startPfn, endPfn }: PfnRange, undo: UndoList): void {
    const { memmap, descriptorBytes, onLog } = this.#place;
    const pageBytes = 2 ** memmap.geometry.pageShift;
    let taken = 0;
    undo.step(
      () => {
        const pages = altmap.populate(endPfn - startPfn, descriptorBytes, pageBytes);
        if (pages === undefined) {
          throw new PageInitError('ERR_DEVICE_ARGUMENT', 'the altmap is too small for the memmap', {
            free: altmap.free,
            errno: 'ENOMEM',
          });
        }
        taken = pages;
      },
      () => {
        if (altmap.give(taken) !== 0) {
          onLog({ level: 'warn', text: 'failed to free all reserved pages' });
        }
      },
    );
  }
}
