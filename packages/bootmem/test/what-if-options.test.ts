import { expect, test } from '@jest/globals';
import { loadMachine } from '../dist/index.js';
import { answersTo } from '../dist/what-if/catalogue.js';
import { whatIf } from '../dist/what-if/what-if.js';
import { run } from './helpers/run.js';

const FOUR = new URL('../test/fixtures/what-if/k61-1n-4g', import.meta.url).pathname;

/** Options that the table of differences follows. */
const IN_THE_ROWS = `
  accept_memory cma crashkernel default_hugepagesz hugepages hugepagesz hugetlb_cma kernelcore log_buf_len mem memmap
  movable_node movablecore nokaslr numa reserve_mem swiotlb
`;

/** Names in the kernel's documentation that touch memory and stay out of the table for a reason. */
const WITHOUT_A_PART = `
  acpi_enforce_resources align_va_addr amd_iommu_dump arm64.nompam audit_backlog_limit cca cgroup_no_v1 cmo_free_hint
  crash_kexec_post_notifiers debugpat disable_1tb_segments disable_tlbie dma_debug_driver early_ioremap_debug fail_page_alloc
  fail_usercopy failslab hardened_usercopy hugepage_alloc_threads ignore_rlimit_data init_on_alloc init_on_free init_pkru
  initramfs_async iomem iommu.forcedac iommu.strict kasan_multi_shot kvm-amd.npt kvm-intel.ept kvm.eager_page_split
  kvm.nx_huge_pages kvm.nx_huge_pages_recovery_period_ms kvm.nx_huge_pages_recovery_ratio l1tf load_ramdisk memblock
  memhp_default_state memory_corruption_check_period memory_hotplug.memmap_on_memory mminit_loglevel mtrr nocache nopat norandmaps
  novmcoredd nowb numa_balancing page_poison page_reporting.page_reporting_order pnp_reserve_mem proc_mem.force_override
  prompt_ramdisk radix_hcall_invalidate ramdisk_start randomize_kstack_offset s390_iommu slab_strict_numa stack_guard_gap
  stress_slb sunrpc.tcp_slot_table_entries sunrpc.udp_slot_table_entries thp_anon thp_shmem transparent_hugepage_shmem
  transparent_hugepage_tmpfs usbcore.usbfs_memory_mb vm_debug writecombine xen.balloon_boot_timeout xen_scrub_pages
`;

/** Names in the kernel's documentation that there is no model for. */
const WITHOUT_A_MODEL = `
  acpi acpi_no_memhotplug acpi_rsdp add_efi_memmap alloc_snapshot amd_iommu arm64.nomte cgroup.memory cgroup_disable cma_pernuma
  coherent_pool debug_guardpage_minorder debug_objects debug_pagealloc dhash_entries disable_ddw disable_mtrr_cleanup
  disable_mtrr_trim disable_radix dma_debug dma_debug_entries early_page_ext efi elfcorehdr enable_mtrr_cleanup forcepae ftrace
  ftrace_boot_snapshot gart_fix_e820 gbpages hashdist highmem hugetlb_cma_only hugetlb_free_vmemmap ihash_entries initrd initrdmem
  intel_iommu iommu iommu.passthrough keepinitrd kho kho_scratch kmemleak kpti kvm-arm.mode kvm_cma_resv_ratio maxcpus mem_encrypt
  memchunk memory_corruption_check memory_corruption_check_size memtest mitigations mtrr_chunk_size mtrr_gran_size
  mtrr_spare_reg_nr no4lvl no5lvl no_debug_objects noefi nogbpages nohugeiomap nohugevmalloc noinitrd nopku nopti nosgx nosmp nosmt
  noxsaves nr_cpus numa_cma numa_zonelist_order page_alloc.shuffle page_owner pci percpu_alloc possible_cpus profile prot_virt pti
  ramdisk_size rcutree.rcu_min_cached_objs reserve reservetop retain_initrd rodata rproc_mem s390_iommu_aperture sev slab_debug
  slab_max_order slab_merge slab_min_objects slab_min_order slab_nomerge slub_debug slub_max_order slub_merge slub_min_objects
  slub_min_order slub_nomerge smt stack_depot_disable stress_hpt svm sysctl.vm.nr_hugepages sysctl/vm/min_free_kbytes
  tcpmhash_entries thash_entries trace_buf_size trace_event trace_instance transparent_hugepage uhash_entries vmalloc vmcp_cma
  xen_512gb_limit zswap.enabled
`;

const namesOf = (text: string): string[] => text.trim().split(/\s+/);

test.each([
  ['in the rows', IN_THE_ROWS, 'modelled', /^(?!changes nothing)./],
  ['without a part', WITHOUT_A_PART, 'modelled', /^changes nothing of what is compared: ./],
  ['without a model', WITHOUT_A_MODEL, 'no model', /^no model for \S+: (?!not known)./],
] as const)('names of the documentation: %s', (_, text, answer, shape) => {
  const names = namesOf(text);
  // The same in both boots, where a word that is not known is only counted.
  const { options, ignoredWords } = answersTo(names.join(' '), names.join(' '));
  expect(options.map(({ name }) => name)).toEqual(names.map((name) => name.replaceAll('-', '_')));
  expect(ignoredWords).toBe(0);
  for (const one of options) {
    expect(one).toMatchObject({ answer, text: expect.stringMatching(shape) });
  }
});

test('a word that is asked about and not known is named, one that stays is counted', () => {
  const { options, ignoredWords } = answersTo(
    'quiet ro root=a gone',
    'quiet ro hugepagez=1G root=b',
  );
  const text = (name: string): string => `no model for ${name}: not known as an option of memory`;
  expect(options).toEqual([
    { name: 'root', before: ['a'], after: ['b'], answer: 'no model', text: text('root') },
    { name: 'gone', before: [''], after: [], answer: 'no model', text: text('gone') },
    { name: 'hugepagez', before: [], after: ['1G'], answer: 'no model', text: text('hugepagez') },
  ]);
  expect(ignoredWords).toBe(4);
  // Names of what every object has are words as any other.
  expect(answersTo('', 'constructor __proto__=1').options.map(({ name }) => name)).toEqual([
    'constructor',
    '__proto__',
  ]);
});

test('the text answers a word without a value as it does one with a value', async () => {
  const machine = await loadMachine(FOUR);
  expect(whatIf(machine, { add: ['movable_node'] }).options).toContainEqual(
    expect.objectContaining({ name: 'movable_node', before: [], after: [''] }),
  );
  const { out } = await run(['what-if', FOUR, '--add', 'movable_node nogbpages vmemory']);
  expect(out).toContain('option movable_node: nodes that may be unplugged become movable');
  expect(out).toContain('option nogbpages: no model for nogbpages: page tables');
  expect(out).toContain('option vmemory: no model for vmemory: not known as an option of memory');
});
