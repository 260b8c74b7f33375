/**
 * What rows there are: a name, who can change the amount and how, and when it is given back. An amount's kind is all
 * that `explain A B` compares by, so kinds are never renamed.
 */
import type { Changer } from '../../explain-result.js';

/** What is known of a row before its amount. */
export interface RowFacts {
  readonly label: string;
  readonly changer: Changer;
  readonly change?: string;
  readonly returned?: string;
}

const FIRMWARE_SETUP = 'the firmware setup, or a firmware update';

/** Every kind of row. */
export const ROWS = {
  // Kept by the firmware.
  'firmware-reserved': {
    label: 'reserved by the firmware',
    changer: 'firmware setting',
    change: FIRMWARE_SETUP,
  },
  'firmware-graphics': {
    label: 'graphics memory',
    changer: 'firmware setting',
    change: 'the size of graphics memory in the firmware setup (DVMT, UMA frame buffer)',
  },
  'firmware-chipset': {
    label: 'reserved below the end of low memory (chipset, system management, graphics)',
    changer: 'firmware setting',
    change: FIRMWARE_SETUP,
  },
  'firmware-acpi-data': { label: 'ACPI tables', changer: 'nobody' },
  'firmware-acpi-nvs': { label: 'ACPI non-volatile storage', changer: 'nobody' },
  'firmware-unusable': {
    label: 'unusable (bad memory)',
    changer: 'nobody',
    change: 'replace the module',
  },
  'firmware-runtime': { label: 'EFI runtime services', changer: 'nobody' },
  'firmware-persistent': {
    label: 'persistent memory, not for the page allocator',
    changer: 'option',
    change: 'daxctl reconfigure-device --mode=system-ram',
  },
  'firmware-soft-reserved': {
    label: 'set aside for one purpose (soft reserved)',
    changer: 'option',
    change: 'efi=nosoftreserve',
  },
  'firmware-legacy': { label: 'legacy video memory and BIOS below 1 MiB', changer: 'nobody' },
  'firmware-small': { label: 'small ranges of the firmware', changer: 'nobody' },
  // Usable to the firmware, not to the kernel.
  'trim-mtrr': {
    label: 'not covered by the MTRRs',
    changer: 'firmware setting',
    change: 'a firmware update; disable_mtrr_trim uses it uncached',
  },
  'trim-option': { label: 'taken away by an option', changer: 'option', change: 'mem=, memmap=' },
  'trim-low': { label: 'first page, and 640 KiB to 1 MiB', changer: 'nobody' },
  'trim-edit': { label: 'taken out of the map by the kernel', changer: 'nobody' },
  'trim-reach': {
    label: "beyond the kernel's reach",
    changer: 'kernel build',
    change: 'a kernel with PAE or of 64 bits',
  },
  'trim-page': { label: 'cut off to whole pages', changer: 'nobody' },
  // Reserved by the kernel.
  image: { label: 'kernel image', changer: 'kernel build' },
  'image-gaps': {
    label: 'gaps in the kernel image',
    changer: 'kernel build',
    returned: 'at the end of the boot',
  },
  'image-alternatives': {
    label: 'code for one processor or several',
    changer: 'kernel build',
    returned: 'when processors are up',
  },
  initrd: {
    label: 'initrd',
    changer: 'boot loader',
    change: 'a smaller initrd',
    returned: 'when it is unpacked',
  },
  descriptors: { label: 'page descriptors', changer: 'nobody' },
  sections: { label: 'tables of memory sections', changer: 'nobody' },
  'low-memory': { label: 'memory below 1 MiB', changer: 'nobody' },
  crashkernel: {
    label: 'crash kernel',
    changer: 'option',
    change: 'crashkernel=',
  },
  cma: {
    label: 'contiguous memory areas (CMA)',
    changer: 'option',
    change: 'cma=, hugetlb_cma=, or the device tree',
    returned: 'when drivers are set up, for movable pages',
  },
  'huge-pages': {
    label: 'huge pages',
    changer: 'option',
    change: 'hugepages=, hugepagesz=',
    returned: 'to hugetlb alone',
  },
  'bounce-buffer': {
    label: 'bounce buffer for devices (swiotlb)',
    changer: 'option',
    change: 'swiotlb=',
  },
  'per-cpu': { label: 'per-CPU areas', changer: 'option', change: 'possible_cpus=, nr_cpus=' },
  'hash-tables': {
    label: 'hash tables',
    changer: 'option',
    change: 'dhash_entries=, ihash_entries=',
  },
  'log-buffer': { label: 'log buffer', changer: 'option', change: 'log_buf_len=' },
  'node-data': { label: 'node data', changer: 'nobody' },
  'device-tree': { label: 'reserved by the device tree', changer: 'firmware setting' },
  'no-map': { label: 'kept by the firmware, never mapped', changer: 'firmware setting' },
  'efi-boot-services': {
    label: 'EFI boot services',
    changer: 'firmware setting',
    change: FIRMWARE_SETUP,
    returned: 'when EFI has its runtime map; before 6.12 and some 6.x, not all of it',
  },
  'efi-tables': { label: 'EFI tables', changer: 'nobody' },
  'acpi-tables': { label: 'ACPI tables in usable memory', changer: 'nobody' },
  'page-tables': {
    label: 'page tables of the direct map',
    changer: 'option',
    change: 'rodata=, debug_pagealloc=, nogbpages',
  },
  'process-table': { label: 'table of processes (radix MMU)', changer: 'nobody' },
  'hash-page-table': { label: 'hash page table', changer: 'nobody' },
  kasan: { label: 'shadow memory of KASAN', changer: 'kernel build' },
  kmsan: { label: 'shadow memory of KMSAN', changer: 'kernel build' },
  kfence: {
    label: 'pool of KFENCE',
    changer: 'option',
    change: 'kfence.sample_interval=0',
  },
  'page-extension': { label: 'page extensions', changer: 'option', change: 'page_owner=off, …' },
  aperture: {
    label: 'graphics aperture taken from memory',
    changer: 'firmware setting',
    change: 'the aperture size in the firmware setup; iommu=',
  },
  'hand-over': {
    label: 'areas for kexec hand-over',
    changer: 'option',
    change: 'kho=, kho_scratch=',
  },
  'reserve-mem': { label: 'reserve_mem= areas', changer: 'option', change: 'reserve_mem=' },
  'other-early': { label: 'other early allocations', changer: 'nobody' },
  'page-rounding': { label: 'rounded up to whole pages', changer: 'nobody' },
  'in-use-early': { label: 'in use when the line was printed', changer: 'nobody' },
  // What MemTotal is made of.
  'handed-over': { label: 'handed over by memblock', changer: 'nobody' },
  'back-initrd': { label: 'initrd, given back', changer: 'nobody' },
  'back-image': { label: 'unused parts of the image, given back', changer: 'nobody' },
  'back-boot-services': { label: 'EFI boot services, given back', changer: 'nobody' },
  'back-cma': { label: 'contiguous memory areas', changer: 'nobody' },
  'back-huge-pages': { label: 'gigantic pages, counted by hugetlb', changer: 'nobody' },
  'back-memblock': { label: 'late frees of memblock', changer: 'nobody' },
  'back-added': { label: 'added after boot', changer: 'nobody' },
  'back-other': { label: 'given back', changer: 'nobody' },
  // What MemTotal is used for.
  'use-anonymous': { label: 'memory of processes', changer: 'nobody' },
  'use-cache': { label: 'file cache and shared memory', changer: 'nobody', returned: 'on demand' },
  'use-buffers': { label: 'buffers', changer: 'nobody', returned: 'on demand' },
  'use-slab': { label: 'kernel objects (slab)', changer: 'nobody' },
  'use-page-tables': { label: 'page tables of processes', changer: 'nobody' },
  'use-stacks': { label: 'kernel stacks', changer: 'nobody' },
  'use-vmalloc': { label: 'vmalloc', changer: 'nobody' },
  'use-per-cpu': { label: 'per-CPU areas of modules', changer: 'nobody' },
  'use-huge-pages': { label: 'huge pages', changer: 'option', change: 'hugepages=' },
  'use-hardware': { label: 'corrupted pages', changer: 'nobody' },
  'use-swap-cache': { label: 'swap cache', changer: 'nobody', returned: 'on demand' },
} as const satisfies Readonly<Record<string, RowFacts>>;

/** A kind of row. */
export type RowKind = keyof typeof ROWS;
