/**
 * Entry `@bootmem/buddy-allocator/objects`: small objects in the pages of a pool.
 */
export { ObjectCache } from './objects/object-cache.js';
export type {
  AttachObjectsOptions,
  ObjectCacheHandle,
  ObjectCacheOptions,
  ObjectCacheStats,
} from './objects/object-types.js';
export { formatSlabinfo } from './objects/slabinfo.js';
