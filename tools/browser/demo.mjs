// `npm run demo`: builds the demo page of the documentation and serves it, cross-origin isolated, until Ctrl-C.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { serve } from './serve.mjs';

const output = mkdtempSync(join(tmpdir(), 'bootmem-demo-'));
await build({
  configFile: fileURLToPath(new URL('../../docs/demo/vite.config.mjs', import.meta.url)),
  build: { outDir: output },
});
const { url } = await serve(output, { isolated: true });
console.log(`The sample machine boots at ${url} (Ctrl-C ends)`);
process.on('SIGINT', () => {
  rmSync(output, { recursive: true, force: true });
  process.exit(0);
});
