/**
 * Lines that say that the machine did not get the memory it asked for: the facts are right all the same, but whoever
 * reads them should know.
 *
 *   WARNING: BIOS bug: CPU MTRRs don't cover all of memory, losing 256MB of RAM.
 *   cannot allocate crashkernel (size:0x100000000)       crashkernel reservation failed - …
 *   cma: Failed to reserve 1024 MiB
 *   HugeTLB: allocating 64 of page size 1.00 GiB failed.  Only allocated 14 hugepages.
 */
import { onMatch } from './recogniser.js';

const failure = onMatch(
  "MTRRs don't cover|allocate crashkernel|crashkernel (?:CMA )?reservation failed|cma: Failed to reserve|HugeTLB: (?:allocating|hugepages=)|KHO: ",
  /(?:CPU MTRRs don't cover all of memory.*|cannot allocate crashkernel.*|crashkernel (?:CMA )?reservation failed.*|cma: Failed to reserve.*|HugeTLB: allocating .* failed.*|HugeTLB: hugepages=\S+ does not follow.*|KHO: .*[Ff]ail.*)$/,
  (match, draft, line) => {
    draft.keep(draft.failures, { text: match[0].trim(), line }, line);
  },
);

/** Recognisers of failures. */
export const FAILURE_RECOGNISERS = [failure];
