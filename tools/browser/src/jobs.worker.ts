/** A bundled worker of padata: the functions come with it, under a name of our own. */
import { provideModule, startWorker } from '@bootmem/padata/worker';
import * as jobs from './jobs.js';

provideModule('app:jobs', { ...jobs });
startWorker();
