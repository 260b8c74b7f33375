/** The text of /proc/slabinfo from numbers of caches. */
import { checkArray } from '../base/check.js';
import type { ObjectCacheStats } from './object-types.js';

const HEADER = [
  'slabinfo - version: 2.1',
  '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>',
];

/**
 * Lines as those of /proc/slabinfo, version 2.1; what is in magazines counts as active there, too.
 * @param caches  `stats()` of each
 */
export function formatSlabinfo(caches: readonly ObjectCacheStats[]): string {
  checkArray(caches, 'caches');
  const lines = caches.map((cache) => {
    const numbers = [
      cache.name.padEnd(17),
      String(cache.activeObjects + cache.cachedObjects).padStart(6),
      String(cache.objects).padStart(6),
      String(cache.stride).padStart(6),
      String(cache.objectsPerSlab).padStart(4),
      String(cache.pagesPerSlab).padStart(4),
    ].join(' ');
    const slabs = [cache.activeSlabs, cache.slabs, 0].map((n) => String(n).padStart(6)).join(' ');
    return `${numbers} : tunables    0    0    0 : slabdata ${slabs}`;
  });
  return [...HEADER, ...lines, ''].join('\n');
}
