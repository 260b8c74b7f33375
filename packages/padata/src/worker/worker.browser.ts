/** Entry of Web Workers. Started by `platform.browser.ts`; exports nothing. */
import { startWorker } from './worker-start.browser.js';

startWorker();
