import type { SeriesMaker } from '@bootmem/padata';

export interface PgzipOptions {
  readonly level?: number;
  readonly blockBytes?: number;
  readonly name?: string;
  readonly modified?: number;
  readonly signal?: AbortSignal;
  readonly window?: number;
  readonly module?: string | URL;
}

export function pgzip(
  pool: SeriesMaker,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options?: PgzipOptions,
): AsyncGenerator<Uint8Array>;
