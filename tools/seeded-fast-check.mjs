// What `fast-check` is in tests: the same values in each run, so that a run judges the change and not the luck of a
// draw. `npm run soak -- properties` draws others; BOOTMEM_PROPERTY_SEED=N repeats what it found.
import fc from '../node_modules/fast-check/lib/fast-check.js';

fc.configureGlobal({ seed: Number(process.env.BOOTMEM_PROPERTY_SEED ?? 20_090_102) });

export default fc;
export * from '../node_modules/fast-check/lib/fast-check.js';
