/**
 * A boot's zones, free blocks and times as OpenMetrics text, for a textfile collector or a push gateway.
 *
 * Source: "OpenMetrics 1.0", text format: families of one type each, samples, `# EOF`
 */
import type { BootReport } from '../../result.js';
import { PAGE_SIZE } from '../numbers.js';

type Labels = Readonly<Record<string, string | number>>;

/** Samples of one name. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly unit?: 'bytes' | 'seconds';
  readonly samples: readonly (readonly [labels: Labels, value: number])[];
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function familyLines({ name, help, unit, samples }: Family): string[] {
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(String(text))}"`);
    return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
  });
  return [
    `# TYPE ${name} gauge`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(help)}`,
    ...lines,
  ];
}

/**
 * The text of a boot.
 * @param report  what `boot --json` prints
 */
export function openMetrics({ zones, timing, machine, source, kernel }: BootReport): string {
  const bytes = { unit: 'bytes' as const };
  const seconds = { unit: 'seconds' as const };
  const families: Family[] = [
    {
      name: 'bootmem_machine',
      help: 'What was brought up; always 1.',
      samples: [[{ source, kernel, nodes: machine.nodeCount, cpus: machine.cpuCount }, 1]],
    },
    {
      ...bytes,
      name: 'bootmem_zone_memory_bytes',
      help: 'Memory of a zone: spanned, present, managed, free, unaccepted.',
      samples: zones.flatMap((zone) =>
        (
          [
            ['spanned', zone.spannedPages],
            ['present', zone.presentPages],
            ['managed', zone.managedPages],
            ['free', zone.freePages],
            ['unaccepted', zone.unacceptedPages],
          ] as const
        ).map(
          ([state, pages]) =>
            [{ node: zone.nid, zone: zone.name, state }, pages * PAGE_SIZE] as const,
        ),
      ),
    },
    {
      ...bytes,
      name: 'bootmem_zone_watermark_bytes',
      help: 'Watermarks of a zone.',
      samples: zones.flatMap((zone) =>
        (['min', 'low', 'high'] as const).map(
          (mark) => [{ node: zone.nid, zone: zone.name, mark }, zone[mark] * PAGE_SIZE] as const,
        ),
      ),
    },
    {
      name: 'bootmem_zone_free_blocks',
      help: 'Free blocks of a zone by order and migratetype.',
      samples: zones.flatMap((zone) =>
        Object.entries(zone.freeBlocksByType).flatMap(([type, counts]) =>
          counts.map(
            (count, order) => [{ node: zone.nid, zone: zone.name, order, type }, count] as const,
          ),
        ),
      ),
    },
    {
      ...seconds,
      name: 'bootmem_boot_seconds',
      help: 'Time from the start of the boot to the first allocation, and to its end.',
      samples: [
        [{ until: 'first-allocation' }, timing.firstAllocationMs / 1000],
        [{ until: 'end' }, timing.totalMs / 1000],
      ],
    },
  ];
  return `${families.flatMap(familyLines).join('\n')}\n# EOF\n`;
}
