/** Entry of Web Workers. Started by `platform.browser.ts`; exports nothing. */
import { startWebWorker } from './worker-start.browser.js';

startWebWorker();
