// Without a server: what is missing is said with a code, and the command knows its usage.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

export default async (api, assert) => {
  await assert.rejects(
    api.createNatsPool({
      servers: 'nats://127.0.0.1:1',
      connectTimeoutMs: 300,
      maxReconnectAttempts: 0,
    }),
    { code: 'ERR_PADATA_NATS_CONNECT' },
  );
  await assert.rejects(api.createNatsPool({ prefix: 'no dots.here' }), {
    code: 'ERR_PADATA_NATS_ARGUMENT',
  });

  const require = createRequire(join(process.cwd(), 'x.js'));
  const { startNatsWorker } = await import(
    pathToFileURL(require.resolve('@bootmem/padata-nats/worker')).href
  );
  await assert.rejects(startNatsWorker({ modules: {} }), { code: 'ERR_PADATA_NATS_ARGUMENT' });

  const root = dirname(require.resolve('@bootmem/padata-nats/package.json'));
  const { bin } = require('@bootmem/padata-nats/package.json');
  const command = join(root, bin['padata-nats']);
  const help = spawnSync(process.execPath, [command, '--help'], { encoding: 'utf8' });
  assert.equal(help.status, 0);
  assert.match(help.stdout, /worker/);
  assert.equal(spawnSync(process.execPath, [command, 'worker']).status, 2);
};
