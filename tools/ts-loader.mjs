// `node --import ./tools/ts-loader.mjs file.ts`: runs TypeScript on the main thread and, through the
// inherited execArgv, in every worker. (`tsx file.ts` registers itself on the main thread only.)
import { register } from 'tsx/esm/api';
register();
