/** Recorded boots that differ by their command line, or by their kernel, and by nothing else that is known. */
import type { MachineDescription } from '@bootmem/firmware-map';

/** A recorded boot. */
export interface Recording {
  readonly name: string;
  readonly description: MachineDescription;
}

/** Two of them, and what else differs. */
export interface Pair {
  readonly first: Recording;
  readonly second: Recording;
  readonly by: 'options' | 'kernel';
  /** What of the machine differs too: figures that rest on early allocations then say nothing. */
  readonly also: readonly string[];
}

const text = (value: unknown): string => JSON.stringify(value);

const pages = (bytes: number): number => Math.ceil(bytes / 4096);

/** What the firmware says: of this, nothing may differ. */
function machineOf({ description: { firmware, numa, architecture, printed } }: Recording): string {
  const map = firmware.map.map(({ start, end, kind }) => [start, end, kind]);
  const srat = numa.srat.map(({ start, end, nid, hotplug }) => [start, end, nid, hotplug]);
  const efi = firmware.efi.map(({ start, end, type }) => [start, end, type]);
  // Without a map, memory is what the kernel printed of it.
  const early = printed.earlyRanges.map(({ start, end }) => [start, end]);
  return text([architecture, map, srat, efi, map.length > 0 ? [] : early]);
}

/** What else of a machine early allocations depend on. */
function detailsOf({ description }: Recording): Readonly<Record<string, string>> {
  const { cpus, printed } = description;
  return {
    processors: text([cpus.online, cpus.possible]),
    'the initrd': text(pages((printed.ramdisk?.end ?? 0) - (printed.ramdisk?.start ?? 0))),
    'ACPI tables': text(printed.acpiTables.map(({ start, end }) => [start, end])),
    'sizes of huge pages that the processor has': text(
      printed.hugetlb.map(({ pageBytes }) => pageBytes),
    ),
  };
}

/** All pairs, both ways. */
export function pairsOf(recordings: readonly Recording[]): Pair[] {
  return recordings.flatMap((first) =>
    recordings.flatMap((second): Pair[] => {
      if (first === second || machineOf(first) !== machineOf(second)) return [];
      const release = (one: Recording): string => one.description.kernel?.release ?? '';
      const line = (one: Recording): string => one.description.commandLine?.text ?? '';
      const [own, other] = [detailsOf(first), detailsOf(second)];
      const also = Object.keys(own).filter((name) => own[name] !== other[name]);
      if (release(first) !== release(second)) {
        return line(first) === line(second) ? [{ first, second, by: 'kernel', also }] : [];
      }
      return line(first) === line(second) ? [] : [{ first, second, by: 'options', also }];
    }),
  );
}
