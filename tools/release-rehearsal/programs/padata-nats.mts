import { PadataNatsError, createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool, NatsPoolOptions } from '@bootmem/padata-nats';
import type { RangeRunner, SeriesMaker } from '@bootmem/padata';

const options: NatsPoolOptions = {
  servers: 'nats://127.0.0.1:1',
  connectTimeoutMs: 300,
  maxReconnectAttempts: 0,
};
const open = async (): Promise<SeriesMaker & RangeRunner> => {
  const pool: NatsPool = await createNatsPool(options);
  return pool;
};
try {
  await open();
  throw new Error('there is no server');
} catch (error) {
  if (!(error instanceof PadataNatsError) || error.code !== 'ERR_PADATA_NATS_CONNECT') throw error;
}
