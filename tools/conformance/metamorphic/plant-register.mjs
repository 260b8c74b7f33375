// Loaded before anything else of a run with a planted fault: changes the text of one module while it is loaded.
import { register } from 'node:module';

register('./plant-hooks.mjs', import.meta.url, { data: JSON.parse(process.env.BOOTMEM_PLANT) });
