/**
 * What the kernel complained about: memory that it did not get, options that it could not use, tables that it threw
 * away. The facts are right all the same, but whoever reads them should know. The words are kept as they are.
 *
 *   WARNING: BIOS bug: CPU MTRRs don't cover all of memory, losing 256MB of RAM.
 *   cannot allocate crashkernel (size:0x100000000)       crashkernel reservation failed - …
 *   cma: Failed to reserve 1024 MiB
 *   HugeTLB: allocating 64 of page size 1.00 GiB failed.  Only allocated 14 hugepages.
 *   NUMA: nodes only cover 2047MB of your 4095MB e820 RAM. Not used.
 */
import { onMatch } from './recogniser.js';

/** Each with the words that begin it, and what of the rest of the line belongs to it. */
const COMPLAINTS: readonly string[] = [
  "CPU MTRRs don't cover all of memory.*",
  'cannot allocate crashkernel.*',
  'crashkernel(?: low memory| CMA)? reservation failed.*',
  'crashkernel: (?:memory value expected|unrecognized char.*|.*ignoring.*|.*invalid.*)',
  'cma: (?:Failed to reserve|CMA area .* could not be activated|pageblock_order not|dma_numa_cma_reserve: reservation failed).*',
  'hugetlb_cma: (?:the option|reservation failed|cma area should).*',
  'HugeTLB: allocating .* failed.*',
  'HugeTLB: hugepages=\\S+ does not follow.*',
  'HugeTLB: unsupported (?:default_)?hugepagesz=.*',
  'KHO: .*[Ff]ail.*',
  'Warning only \\d+MB will be used.*',
  'OF: fdt: Ignoring memory (?:range|block) .*',
  'OF: reserved mem: (?:OVERLAP DETECTED|failed to allocate|.*unsupported node format).*',
  'software IO TLB: .*(?:Failed to allocate|Cannot allocate).*',
  'efi: \\[Firmware Bug\\]: Invalid EFI memory map entries.*',
  'The system has .*ignore kernelcore=mirror.*',
  "Malformed early option '.*",
];
const HINT =
  "MTRRs don't cover|allocate crashkernel|crashkernel: |crashkernel (?:low memory |CMA )?reservation|cma: (?:Failed|CMA area|pageblock|dma_numa)|hugetlb_cma: |HugeTLB: (?:allocating|hugepages=|unsupported)|KHO: |Warning only|OF: fdt: Ignoring|OF: reserved mem: |software IO TLB: |Invalid EFI memory|kernelcore=mirror|Malformed early";

const complaint = onMatch(
  HINT,
  new RegExp(`(?:${COMPLAINTS.join('|')})$`),
  (match, draft, line) => {
    draft.keep(draft.failures, { text: match[0].trim(), line }, line);
  },
);

/** Recognisers of complaints. */
export const FAILURE_RECOGNISERS = [complaint];
