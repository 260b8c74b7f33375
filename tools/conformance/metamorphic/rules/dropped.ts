/**
 * A line that got lost: what followed from it does not follow any more, and everything else is as it was. No value that
 * is still given may be another.
 */
import type { Recording } from '../recording.js';
import { nothingDiffers } from '../variant.js';
import type { Rule } from '../variant.js';

/** Lines that a check reads, by kind. */
const KINDS: Readonly<Record<string, RegExp>> = {
  'the banner': /Linux version \d/,
  'a command line': /ommand line:/,
  'a usable map entry': /(?:BIOS-\w+|Xen|user|modified): .*(?:usable|System RAM)/,
  'another map entry': /(?:BIOS-\w+|user|modified): .*(?:reserved|ACPI|unusable|persistent|soft)/i,
  'an edit of the map': /e820:? (?:update|remove)|efi: Remove mem/,
  'a map header': /physical RAM map/,
  'an EFI entry': /efi: (?:mem\d+:| {2}0x)/,
  'a last_pfn': /last_pfn = /,
  'an SRAT entry': /SRAT: Node \d/,
  'an SRAT processor': /SRAT: PXM \d/,
  'a join of node blocks': /NUMA: Node \d+ \[/,
  'another NUMA line': /NUMA: (?!Node \d+ \[)|SRAT not used|No NUMA config|Faking a node/,
  'a faked node': /Faking node \d/,
  'a NODE_DATA': /NODE_DATA/,
  'the RAMDISK': /RAMDISK:|Found initrd/,
  'a header of zone ranges': /Zone (?:PFN )?ranges:/,
  'a zone range': /(?:DMA|DMA32|Normal|HighMem) +(?:\[mem|0x\S+ ->|empty)/,
  'a header of movable starts': /Movable zone start/,
  'a movable start': /\bNode \d+: 0x[0-9a-f]{16}$/,
  'a header of early ranges': /Early memory node ranges|early_node_map/,
  'an early range': /node +\d+: \[mem|^.{0,60}\d+: +\S+ -> +\S+$/,
  'a node extent': /Initmem setup node/,
  'unavailable pages': /pages in unavailable ranges|Zeroed struct page/,
  'a node total': /On node \d+ totalpages/,
  'zone pages': /zone: \d+ pages/,
  'a span of descriptors': /mminit::memmap_init/,
  'a fallback order': /Fallback order for Node/,
  'the count of zonelists': /Built \d+ zonelists/,
  'a policy zone': /Policy zone:/,
  'a zonelist': /mminit::zonelist/,
  'the memory line': /\bMemory: \d+[kK]/,
  'a deferred line': /node \d+ (?:deferred pages )?initialised/,
  'a late free': /\bFreeing .*\d+[kK]/,
  'huge pages': /HugeTLB/,
  'a contiguous area': /cma: Reserved|created CMA memory pool/,
  'a crash kernel': /crashkernel reserved|for crashkernel/,
  processors: /Allowing \d+|nr_cpu_ids|Brought up|SLUB: /,
  'a size of pages': /hash table entries|percpu: Embedded|pcpu-alloc/,
  'a head of a dump': /MEMBLOCK configuration/,
  'sizes of a dump': /memory size = 0x/,
  'a count of a dump': /(?:memory|reserved|physmem)\.cnt/,
  'a region of a dump': /(?:memory|reserved|physmem)\[0x/,
  'a request': /memblock_\w*alloc\w*: \d+ bytes/,
  'a reservation of a request': /memblock_reserve: .*memblock_alloc_(?:range_nid|internal)/,
  'a reservation of its own': /memblock_reserve: (?!.*memblock_alloc_)/,
  'an addition': /memblock_add/,
  'a removal': /memblock_remove/,
  'a free': /memblock_(?:phys_)?free(?:_early)?: /,
  'a free after the hand-over': /memblock_free_late/,
  'a doubled array': /is doubled to/,
  'device tree memory': /OF: reserved mem/,
  'an end of low memory': /low ram: |(?:LOW|HIGH)MEM available/,
  'any line': /./,
  'a sign of the architecture':
    /Machine model|psci:|SBI spec|setup: Linux|CPU features: detected|GICv/,
  'a failure': /MTRRs don't cover|cannot allocate crash|Failed to reserve/,
};

function dropOne(recording: Recording, index: number): Recording {
  return { ...recording, lines: recording.lines.toSpliced(index, 1) };
}

/** One line of each kind. */
export const DROP_RULES: readonly Rule[] = Object.entries(KINDS).map(([kind, pattern]): Rule => ({
  class: 'dropped line',
  name: `without ${kind}`,
  reason: 'what the kernel printed elsewhere does not change when a line of its log is lost',
  vary: (recording, random) => {
    const places = recording.lines.flatMap((line, index) => (pattern.test(line) ? [index] : []));
    if (places.length === 0) return undefined;
    const index = random.pick(places);
    return {
      what: `line ${index + 1} lost: ${recording.lines[index]!.trim().slice(0, 120)}`,
      recording: dropOne(recording, index),
      judge: nothingDiffers,
    };
  },
}));
