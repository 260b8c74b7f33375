/**
 * What a reservation is for, by the function that asked for it. `memblock=debug` names it on the line itself, or on the
 * request before it. Functions move between releases, so words of their names are matched, not whole names.
 */
import type { RowKind } from '../base/row-kinds.js';

/** The first that matches counts. */
const PURPOSES: readonly (readonly [RegExp, RowKind])[] = [
  [/log_buf/, 'log-buffer'],
  [/kasan/, 'kasan'],
  [/kmsan/, 'kmsan'],
  [/kfence/, 'kfence'],
  [/page_ext/, 'page-extension'],
  [/^kho_/, 'hand-over'],
  [/^reserve_mem\b/, 'reserve-mem'],
  [/crashkernel|crash_low/, 'crashkernel'],
  [/huge_page|hugetlb/, 'huge-pages'],
  [/^cma_|dma_contiguous|__cma/, 'cma'],
  [/swiotlb|tlb_init/, 'bounce-buffer'],
  [/sparse_init_nid|vmemmap|sparse_buffer|memmap_alloc|node_mem_map|section_memmap/, 'descriptors'],
  [/sparse_|memory_present|memblocks_present|memory_block/, 'sections'],
  [/^pcpu_|percpu/, 'per-cpu'],
  [/large_system_hash/, 'hash-tables'],
  [/node_data/, 'node-data'],
  [/boot_services/, 'efi-boot-services'],
  [/^efi_|esrt/, 'efi-tables'],
  [/^acpi_/, 'acpi-tables'],
  [/initrd|initramfs/, 'initrd'],
  [/real_mode|bios_region|ebda|trim_low|smp_scan|mpf_|^smp_/, 'low-memory'],
  [
    /low_pages|getpage|pgtable|pgd|pmd|pte|page_table|mem_mapping|paging_init|create_map/,
    'page-tables',
  ],
  [/fdt|device_tree|of_|rmem/, 'device-tree'],
];

/**
 * The purpose of a reservation.
 * @param caller  such as `setup_log_buf+0x112/0x337`
 * @returns `other-early` for a function that is not known
 */
export function purposeOf(caller: string): RowKind {
  return PURPOSES.find(([words]) => words.test(caller))?.[1] ?? 'other-early';
}
