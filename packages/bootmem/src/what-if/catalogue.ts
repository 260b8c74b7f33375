/**
 * Options of the kernel's documentation that touch memory, and what is said of each: in the rows, that it changes nothing
 * of what is compared, or that there is no model for it. What is not in here is not known as an option of memory: such a word is named where
 * it is what changes, and counted.
 *
 * Source: kernel documentation, "The kernel's command-line parameters"
 */
import { splitCommandLine } from '@bootmem/firmware-map';
import type { WhatIfOption } from '../what-if-result.js';

/** What there is to say of an option. */
type Entry = readonly [answer: WhatIfOption['answer'], text: string];

const modelled = (text: string): Entry => ['modelled', text];
/** The rows are right as they stand: the option has no part in them. */
const unchanged = (why: string): Entry => [
  'modelled',
  `changes nothing of what is compared: ${why}`,
];
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
  'memory_hotplug.memmap_on_memory': unchanged(
    'memory that is there at boot has its descriptors elsewhere',
  ),
  memhp_default_state: unchanged('memory that is added later'),
  nokaslr: modelled('the image lies where it is linked'),
  kaslr: modelled('the image may lie anywhere'),
  memblock: unchanged('the log alone'),
  mminit_loglevel: unchanged('the log alone'),
  early_page_ext: noModel('page extensions come from early memory, 8 bytes a page and more'),
  acpi: noModel('off: no tables of nodes, no memory that is plugged in'),
  acpi_no_memhotplug: noModel('memory that ACPI would add'),
  'memory_hotplug.online_policy': unchanged('memory that is added later'),
  'memory_hotplug.auto_movable_ratio': unchanged('memory that is added later'),
  'memory_hotplug.auto_movable_numa_aware': unchanged('memory that is added later'),
  hugetlb_cma_only: noModel('gigantic pages from contiguous areas alone'),
  kvm_cma_resv_ratio: noModel('a contiguous area for hash page tables of guests (ppc64)'),
  vmcp_cma: noModel('a contiguous area (s390x)'),
  disable_radix: noModel('a hash page table instead of trees (ppc64)'),
  thp_anon: unchanged('huge pages of processes'),
  thp_shmem: unchanged('huge pages of shared memory'),
  transparent_hugepage_shmem: unchanged('huge pages of shared memory'),
  transparent_hugepage_tmpfs: unchanged('huge pages of file systems'),
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
  init_mlocked_on_free: unchanged('costs time'),
  vm_debug: unchanged('costs time'),
  rodata: noModel('page tables of the direct map'),
  pti: noModel('page tables'),
  nopti: noModel('page tables'),
  userpte: noModel('where page tables lie on 32-bit kernels'),
  nohugeiomap: noModel('page tables of mappings'),
  nohugevmalloc: noModel('page tables of mappings, how tables are spread'),
  additional_cpus: noModel('processors that may come: memory for each'),
  numa_zonelist_order: noModel('order of fallback, in kernels before 4.14'),
  numa_balancing: unchanged('where pages of processes move'),
  mtrr_gran_size: noModel('how MTRRs are set up'),
  mtrr_spare_reg_nr: noModel('how MTRRs are set up'),
  disable_mtrr_cleanup: noModel('how MTRRs are set up'),
  memory_corruption_check_period: unchanged('how often memory is looked at'),
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
  page_poison: unchanged('costs time'),
  'page_alloc.shuffle': noModel('another order of free blocks; sizes stay'),
  'page_reporting.page_reporting_order': unchanged('what a guest tells its host, later'),
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
  init_on_alloc: unchanged('costs time'),
  init_on_free: unchanged('costs time'),
  transparent_hugepage: noModel('min_free_kbytes, where it turns huge pages off'),
  hugetlb_free_vmemmap: noModel('descriptors of huge pages are given back later'),
  hugepage_alloc_threads: unchanged('how fast huge pages are made'),
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
  workingset: unchanged('what is reclaimed, later'),
  fadump: noModel('memory kept for a dump (ppc64)'),
  fadump_reserve_mem: noModel('memory kept for a dump (ppc64)'),
  dump_mem: noModel('memory kept for a dump (s390x)'),
  elfcorehdr: noModel('this is a crash kernel: what it may use is cut by others'),
  ignore_memory_limit: unchanged('no kernel reads it'),
  // Words about the log, checks and faults on purpose.
  bootmem_debug: unchanged('the log alone'),
  early_ioremap_debug: unchanged('the log alone'),
  debugpat: unchanged('the log alone'),
  mtrr: unchanged('the log alone'),
  amd_iommu_dump: unchanged('the log alone'),
  kasan_multi_shot: unchanged('the log alone'),
  fail_page_alloc: unchanged('allocations that fail on purpose, later'),
  failslab: unchanged('allocations that fail on purpose, later'),
  fail_usercopy: unchanged('copies that fail on purpose'),
  hardened_usercopy: unchanged('checks of copies'),
  dma_debug_driver: unchanged('which mappings are checked'),
  no_debug_objects: noModel('records of objects'),
  kmemcheck: noModel('a shadow of memory, in kernels before 4.15'),
  profile: noModel('a table of counts'),
  // Processes, access and rights.
  align_va_addr: unchanged('addresses of processes'),
  norandmaps: unchanged('addresses of processes'),
  stack_guard_gap: unchanged('addresses of processes'),
  randomize_kstack_offset: unchanged('where a stack begins within its pages'),
  ignore_rlimit_data: unchanged('limits of processes'),
  init_pkru: unchanged('rights of processes'),
  iomem: unchanged('who may map memory of devices'),
  'proc_mem.force_override': unchanged('who may write to memory of processes'),
  acpi_enforce_resources: unchanged('which drivers may use ranges of ACPI'),
  cgroup_no_v1: unchanged('which hierarchies have controllers'),
  'arm64.nompam': unchanged('shares of caches and of bandwidth'),
  l1tf: unchanged('how much swap there may be'),
  noxsaves: noModel('memory for each process'),
  // Page tables and how memory is mapped.
  no4lvl: noModel('page tables (riscv)'),
  kpti: noModel('page tables (arm64)'),
  mitigations: noModel('page tables, where it turns their isolation off'),
  noexec: noModel('page table entries'),
  nopat: unchanged('how mappings are cached'),
  cca: unchanged('how mappings are cached (mips)'),
  nocache: unchanged('how mappings are cached (arm)'),
  nowb: unchanged('how mappings are cached (arm)'),
  writecombine: unchanged('how mappings of devices are cached (loongarch)'),
  forcepae: noModel('page tables, and how much memory is reached, on 32-bit kernels'),
  nobats: noModel('page tables (32-bit powerpc)'),
  noltlbs: noModel('page tables (32-bit powerpc)'),
  disable_1tb_segments: unchanged('segments of a hash page table (ppc64)'),
  stress_slb: unchanged('how often segments are looked up (ppc64)'),
  stress_hpt: noModel('room in a hash page table (ppc64)'),
  disable_tlbie: unchanged('how entries are flushed (ppc64)'),
  radix_hcall_invalidate: unchanged('how entries are flushed (ppc64)'),
  // Firmware, nodes and ranges.
  acpi_rsdp: noModel('where tables of ACPI lie, those of nodes among them'),
  gart_fix_e820: noModel('the range of an aperture in the firmware’s map (K8)'),
  topology_updates: unchanged('processors that change their node, later (ppc64)'),
  pnp_reserve_mem: unchanged('ranges that devices are not given'),
  memchunk: noModel('buffers of devices, from the page allocator (sh)'),
  rproc_mem: noModel('a contiguous area for another processor (arm)'),
  prot_virt: noModel('memory for protected guests; where the image lies (s390x)'),
  'kvm_arm.mode': noModel('memory kept for the hypervisor, where guests are protected (arm64)'),
  sev: noModel('a table of pages for protected guests'),
  nosgx: noModel('pages of enclaves'),
  svm: noModel('a larger bounce buffer in protected guests (ppc64)'),
  novmcoredd: unchanged('what a crash kernel gathers'),
  crash_kexec_post_notifiers: unchanged('what is done before a crash kernel starts'),
  cmo_free_hint: unchanged('what a guest tells its host, later (ppc64)'),
  xen_scrub_pages: unchanged('pages that a Xen guest gives back'),
  'xen.balloon_boot_timeout': unchanged('how long a Xen guest waits for pages'),
  'kvm.nx_huge_pages': unchanged('page tables of guests'),
  'kvm.nx_huge_pages_recovery_ratio': unchanged('page tables of guests'),
  'kvm.nx_huge_pages_recovery_period_ms': unchanged('page tables of guests'),
  'kvm.eager_page_split': unchanged('page tables of guests'),
  'kvm_amd.npt': unchanged('page tables of guests'),
  'kvm_intel.ept': unchanged('page tables of guests'),
  // DMA.
  'iommu.forcedac': unchanged('addresses that devices see'),
  'iommu.strict': unchanged('when mappings for devices are flushed'),
  s390_iommu: unchanged('when mappings for devices are flushed (s390x)'),
  s390_iommu_aperture: noModel('tables of mappings for devices (s390x)'),
  disable_ddw: noModel('tables of mappings for devices (ppc64)'),
  calgary: noModel('tables of mappings for devices, in kernels before 5.4'),
  // Caches, tables and buffers.
  slab_merge: noModel('memory of caches'),
  slab_nomerge: noModel('memory of caches'),
  slub_merge: noModel('memory of caches'),
  slub_nomerge: noModel('memory of caches'),
  slub_memcg_sysfs: unchanged('what is shown of caches'),
  slab_strict_numa: unchanged('which node objects of caches come from, later'),
  tcpmhash_entries: noModel('size of a table, from the page allocator'),
  ftrace: noModel('buffers for each processor, from the page allocator'),
  ftrace_boot_snapshot: noModel('buffers for each processor, from the page allocator'),
  trace_event: noModel('buffers for each processor, from the page allocator'),
  'rcutree.rcu_min_cached_objs': noModel('pages for each processor, from the page allocator'),
  audit_backlog_limit: unchanged('how many messages may wait, later'),
  'sunrpc.tcp_slot_table_entries': unchanged('how many requests of a client may wait, later'),
  'sunrpc.udp_slot_table_entries': unchanged('how many requests of a client may wait, later'),
  'usbcore.usbfs_memory_mb': unchanged('a limit of buffers, later'),
  initramfs_async: unchanged('when the initrd is unpacked and given back'),
  load_ramdisk: unchanged('read no more'),
  prompt_ramdisk: unchanged('read no more'),
  ramdisk_start: unchanged('where an image begins on its disk'),
  smt: noModel('processors that are started'),
  nosmt: noModel('processors that are started'),
};

/** Options whose name begins so are looked up without what follows. */
const PREFIXES = [
  'kfence.',
  'kasan.',
  'page_reporting.',
  // Both `.` and `/` part the names of a sysctl.
  'sysctl.vm.',
  'sysctl.vm/',
  'sysctl/vm.',
  'sysctl/vm/',
  'damon_reclaim.',
  'damon_lru_sort.',
  'damon_stat.',
  'ramoops.',
  'zswap.',
  'brd.',
] as const;

/** Of a word that is asked about and that may be anything: a mistyped name, an option of a driver or of init. */
const NOT_KNOWN = noModel('not known as an option of memory');

/** The entry of an option; `undefined` when it is not known as one of memory. */
function entryOf(name: string): Entry | undefined {
  const normal = Object.hasOwn(CATALOGUE, name) ? name : undefined;
  if (normal !== undefined) return CATALOGUE[normal];
  const prefix = PREFIXES.find((one) => name.startsWith(one));
  return prefix === undefined ? undefined : noModel('see its module');
}

/** What is said of two command lines. */
export interface Answers {
  readonly options: readonly WhatIfOption[];
  /** Words of the second that are not known as options of memory. */
  readonly ignoredWords: number;
}

/**
 * Answers each option of memory that is on one of two command lines, and each word that is what changes.
 * @param before  today's
 * @param after   the other boot's
 */
export function answersTo(before: string, after: string): Answers {
  const words = [splitCommandLine(before), splitCommandLine(after)] as const;
  const names = [...new Set(words.flat().map(({ name }) => name))];
  const values = (index: 0 | 1, name: string): string[] =>
    words[index].filter((word) => word.name === name).map(({ value }) => value ?? '');
  const options = names.flatMap((name): WhatIfOption[] => {
    const own = { name, before: values(0, name), after: values(1, name) };
    const isChanged =
      own.before.length !== own.after.length || own.before.join() !== own.after.join();
    const entry = entryOf(name) ?? (isChanged ? NOT_KNOWN : undefined);
    if (entry === undefined) return [];
    const [answer, text] = entry;
    return [
      { ...own, answer, text: answer === 'no model' ? `no model for ${name}: ${text}` : text },
    ];
  });
  const ignoredWords = words[1].filter(({ name }) => entryOf(name) === undefined).length;
  return { options, ignoredWords };
}
