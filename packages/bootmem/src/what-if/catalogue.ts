/**
 * Options of the kernel's documentation that change memory, and what is said of each: in the rows, or that there is no
 * model for it. What is not in here is no option of memory.
 *
 * Source: kernel documentation, "The kernel's command-line parameters"
 */
import { splitCommandLine } from '@bootmem/firmware-map';
import type { WhatIfOption } from '../what-if-result.js';

/** What there is to say of an option. */
type Entry = readonly [answer: WhatIfOption['answer'], text: string];

const modelled = (text: string): Entry => ['modelled', text];
const noModel = (text: string): Entry => ['no model', text];

const CATALOGUE: Readonly<Record<string, Entry>> = {
  mem: modelled('where usable memory ends'),
  memmap: modelled('the user’s words about the firmware map, in their order'),
  kernelcore: modelled('the movable zone; the last one counts'),
  movablecore: modelled('the movable zone; the last one counts'),
  movable_node: modelled('nodes that may be unplugged become movable'),
  numa: modelled('off, noacpi, fake=N, fake=SIZE'),
  crashkernel: modelled('size, place, the part below 4 GiB'),
  hugepages: modelled('gigantic pages before the page allocator; smaller ones from it'),
  hugepagesz: modelled('the size that the next hugepages= means'),
  default_hugepagesz: modelled('the size that hugepages= alone means'),
  cma: modelled('one contiguous area, its place'),
  hugetlb_cma: modelled('a contiguous area for gigantic pages in each node'),
  swiotlb: modelled('size of the bounce buffer'),
  reserve_mem: modelled('named reservations, their places'),
  log_buf_len: modelled('the log buffer and what describes its records'),
  accept_memory: modelled('eager: everything is accepted at boot; sizes stay'),
  'memory_hotplug.memmap_on_memory': modelled(
    'memory that is there at boot has its descriptors elsewhere',
  ),
  memhp_default_state: modelled('memory that is added later; nothing at boot'),
  nokaslr: modelled('the image lies where it is linked'),
  kaslr: modelled('the image may lie anywhere'),
  memblock: modelled('the log alone'),
  mminit_loglevel: modelled('the log alone'),
  early_page_ext: noModel('page extensions come from early memory, 8 bytes a page and more'),
  acpi: noModel('off: no tables of nodes, no memory that is plugged in'),
  acpi_no_memhotplug: noModel('memory that ACPI would add'),
  'memory_hotplug.online_policy': modelled('memory that is added later; nothing at boot'),
  'memory_hotplug.auto_movable_ratio': modelled('memory that is added later; nothing at boot'),
  'memory_hotplug.auto_movable_numa_aware': modelled('memory that is added later; nothing at boot'),
  hugetlb_cma_only: noModel('gigantic pages from contiguous areas alone'),
  kvm_cma_resv_ratio: noModel('a contiguous area for hash page tables of guests (ppc64)'),
  vmcp_cma: noModel('a contiguous area (s390x)'),
  disable_radix: noModel('a hash page table instead of trees (ppc64)'),
  thp_anon: noModel('nothing at boot'),
  thp_shmem: noModel('nothing at boot'),
  transparent_hugepage_shmem: noModel('nothing at boot'),
  transparent_hugepage_tmpfs: noModel('nothing at boot'),
  'cgroup.memory': noModel('memory of caches'),
  swapaccount: noModel('some bytes a page, in kernels before 4.x'),
  kmemleak: noModel('records of early allocations'),
  dma_debug: noModel('records of mappings'),
  dma_debug_entries: noModel('records of mappings'),
  debug_objects: noModel('records of objects'),
  stack_depot_max_pools: noModel('a table of stacks'),
  slab_max_order: noModel('memory of caches'),
  slab_min_order: noModel('memory of caches'),
  slab_min_objects: noModel('memory of caches'),
  slub_max_order: noModel('memory of caches'),
  slub_min_order: noModel('memory of caches'),
  slub_min_objects: noModel('memory of caches'),
  init_mlocked_on_free: noModel('costs time; pages stay as many'),
  vm_debug: noModel('costs time; pages stay as many'),
  rodata: noModel('page tables of the direct map'),
  pti: noModel('page tables'),
  nopti: noModel('page tables'),
  userpte: noModel('where page tables lie on 32-bit kernels'),
  nohugeiomap: noModel('page tables of mappings'),
  nohugevmalloc: noModel('page tables of mappings, how tables are spread'),
  additional_cpus: noModel('processors that may come: memory for each'),
  numa_zonelist_order: noModel('order of fallback, in kernels before 4.14'),
  numa_balancing: noModel('nothing at boot'),
  mtrr_gran_size: noModel('how MTRRs are set up'),
  mtrr_spare_reg_nr: noModel('how MTRRs are set up'),
  disable_mtrr_cleanup: noModel('how MTRRs are set up'),
  memory_corruption_check_period: noModel('nothing at boot'),
  noefi: noModel('the map of EFI is not used'),
  reserve: noModel('a range that is left alone'),
  reservetop: noModel('addresses at the top, on 32-bit kernels'),
  initrd: noModel('where the initrd lies (arm, mips)'),
  initrdmem: noModel('where the initrd lies'),
  min_addr: noModel('where usable memory begins (ia64)'),
  max_addr: noModel('where usable memory ends (ia64)'),
  trace_buf_size: noModel('buffers for each processor, from the page allocator'),
  trace_instance: noModel('buffers, in a reserved range where it names one'),
  alloc_snapshot: noModel('buffers for each processor, from the page allocator'),
  'iommu.passthrough': noModel('whether a bounce buffer is kept'),
  xen_512gb_limit: noModel('where memory of a Xen guest ends'),
  'arm64.nomte': noModel('memory for tags'),
  noswapaccount: noModel('some bytes a page, in kernels before 4.x'),
  page_owner: noModel('16 to 32 bytes a page, from the page allocator'),
  page_table_check: noModel('some bytes a page, from the page allocator'),
  page_poison: noModel('costs time'),
  'page_alloc.shuffle': noModel('another order of free blocks; sizes stay'),
  'page_reporting.page_reporting_order': noModel('nothing at boot'),
  debug_pagealloc: noModel('guard pages, and memory mapped page by page: more page tables'),
  debug_guardpage_minorder: noModel('guard pages'),
  kho: noModel('areas kept for a kexec hand-over'),
  kho_scratch: noModel('areas kept for a kexec hand-over'),
  efi_fake_mem: noModel('attributes of EFI memory; soft-reserved memory'),
  efi: noModel('attributes and uses of EFI memory'),
  add_efi_memmap: noModel('EFI’s map besides that of the BIOS'),
  numa_cma: noModel('a contiguous area in some nodes'),
  cma_pernuma: noModel('a contiguous area in each node'),
  coherent_pool: noModel('from the page allocator'),
  deferred_init: noModel('no option of any kernel: deferral is a choice of the build'),
  nr_cpus: noModel('processors that may come: memory for each'),
  possible_cpus: noModel('processors that may come: memory for each'),
  maxcpus: noModel('processors that are started'),
  nosmp: noModel('one processor: memory for each'),
  percpu_alloc: noModel('how memory for each processor is laid out'),
  highmem: noModel('size of high memory on 32-bit kernels'),
  vmalloc: noModel('room for mappings; on 32-bit kernels the size of low memory'),
  min_memory_block_size: noModel('grain of adding memory'),
  dhash_entries: noModel('size of a table'),
  ihash_entries: noModel('size of a table'),
  mhash_entries: noModel('size of a table, from the page allocator'),
  mphash_entries: noModel('size of a table, from the page allocator'),
  thash_entries: noModel('size of a table, from the page allocator'),
  uhash_entries: noModel('size of a table, from the page allocator'),
  hashdist: noModel('which nodes tables are spread over'),
  slub_debug: noModel('memory of caches'),
  slab_debug: noModel('memory of caches'),
  kasan: noModel('a shadow of memory'),
  'kasan.mode': noModel('a shadow of memory'),
  kfence: noModel('a pool for sampled allocations'),
  'kfence.sample_interval': noModel('a pool for sampled allocations'),
  stack_depot_disable: noModel('a table of stacks'),
  disable_mtrr_trim: noModel('memory that the MTRRs leave uncached'),
  mtrr_chunk_size: noModel('how MTRRs are set up'),
  enable_mtrr_cleanup: noModel('how MTRRs are set up'),
  reservelow: noModel('memory kept below 640 KiB'),
  memory_corruption_check: noModel('memory below 64 KiB'),
  memory_corruption_check_size: noModel('memory below 64 KiB'),
  memtest: noModel('memory found bad is left out'),
  nopku: noModel('page table entries'),
  init_on_alloc: noModel('costs time; pages stay as many'),
  init_on_free: noModel('costs time; pages stay as many'),
  transparent_hugepage: noModel('min_free_kbytes, where it turns huge pages off'),
  hugetlb_free_vmemmap: noModel('descriptors of huge pages are given back later'),
  hugepage_alloc_threads: noModel('how fast huge pages are made'),
  cgroup_disable: noModel('memory beside descriptors'),
  nogbpages: noModel('page tables of the direct map; no pages of 1 GiB'),
  gbpages: noModel('page tables of the direct map'),
  no5lvl: noModel('page tables'),
  mem_encrypt: noModel('a larger bounce buffer'),
  iommu: noModel('whether a bounce buffer is kept'),
  intel_iommu: noModel('whether a bounce buffer is kept'),
  amd_iommu: noModel('whether a bounce buffer is kept'),
  ramdisk_size: noModel('from the page allocator'),
  noinitrd: noModel('whether the initrd is given back'),
  keepinitrd: noModel('the initrd is not given back'),
  retain_initrd: noModel('the initrd is not given back'),
  pci: noModel('windows for devices'),
  vmemmap: noModel('descriptors'),
  workingset: noModel('nothing at boot'),
  fadump: noModel('memory kept for a dump (ppc64)'),
  fadump_reserve_mem: noModel('memory kept for a dump (ppc64)'),
  dump_mem: noModel('memory kept for a dump (s390x)'),
  elfcorehdr: noModel('this is a crash kernel: what it may use is cut by others'),
  ignore_memory_limit: noModel('nothing'),
};

/** Options whose name begins so are looked up without what follows. */
const PREFIXES = [
  'kfence.',
  'kasan.',
  'page_reporting.',
  'sysctl.vm.',
  'ramoops.',
  'zswap.',
  'brd.',
] as const;

/** The entry of an option; `undefined` when it is none of memory. */
function entryOf(name: string): Entry | undefined {
  const normal = Object.hasOwn(CATALOGUE, name) ? name : undefined;
  if (normal !== undefined) return CATALOGUE[normal];
  const prefix = PREFIXES.find((one) => name.startsWith(one));
  return prefix === undefined ? undefined : noModel('see its module');
}

/** What is said of two command lines. */
export interface Answers {
  readonly options: readonly WhatIfOption[];
  /** Words of the second that are no options of memory. */
  readonly ignoredWords: number;
}

/**
 * Answers each option of memory that is on one of two command lines.
 * @param before  today's
 * @param after   the other boot's
 */
export function answersTo(before: string, after: string): Answers {
  const words = [splitCommandLine(before), splitCommandLine(after)] as const;
  const names = [...new Set(words.flat().map(({ name }) => name))];
  const values = (index: 0 | 1, name: string): string[] =>
    words[index].filter((word) => word.name === name).map(({ value }) => value ?? '');
  const options = names.flatMap((name): WhatIfOption[] => {
    const entry = entryOf(name);
    if (entry === undefined) return [];
    const [answer, text] = entry;
    const own = { name, before: values(0, name), after: values(1, name) };
    return [
      { ...own, answer, text: answer === 'no model' ? `no model for ${name}: ${text}` : text },
    ];
  });
  const ignoredWords = words[1].filter(({ name }) => entryOf(name) === undefined).length;
  return { options, ignoredWords };
}
