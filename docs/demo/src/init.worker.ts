/** A thread of the boot, bundled with the page. */
import { provideModule, startWorker } from '@bootmem/padata/worker';
import * as init from 'bootmem/init-worker';

provideModule('bootmem:init', { ...init });
startWorker();
