/**
 * What workers need to know about a run: stored once, fetched by each worker at the run's first job.
 */
import { decodeBatch, encodeBatch, BatchType } from '../wire/batch.js';
import { decodeValue, encodeValue } from '../wire/values.js';
import { LargeValues } from './large-values.js';
import type { Publisher } from './publisher.js';
import { isNotFound } from './streams.js';
import type { Engine } from './streams.js';

/** A run's function and how to call it. */
export interface RunInfo {
  /** `series`: (input, context) a job; `range`: (start, end, arg) a chunk. */
  readonly kind: 'series' | 'range';
  /** Module as the submitter names it; a worker looks it up among those it offers. */
  readonly module: string;
  readonly name: string;
  /** A series' shared value, or a range job's argument. */
  readonly shared: unknown;
  /** Times the run was resumed, modulo 256. */
  readonly epoch: number;
  /** A job may be run again when it is unknown whether it ran. */
  readonly idempotent: boolean;
  /** Runs again at most so many times. */
  readonly retries: number;
  /** As for the local series. */
  readonly slotBytes?: number | undefined;
  readonly inputBytes?: 'view' | 'copy' | undefined;
  /** Time between asking a job to stop and ending its thread, in milliseconds. */
  readonly graceMs?: number | undefined;
}

/** Stores a run's description. @throws ERR_PADATA_NATS_SERVER, PadataError ERR_PADATA_CLONE */
export async function publishRunInfo(
  engine: Engine,
  publisher: Publisher,
  run: string,
  info: RunInfo,
): Promise<void> {
  const item = await new LargeValues(engine).outgoing(encodeValue(info), `${run}.info`);
  const data = encodeBatch({ type: BatchType.JOBS, first: 0, micros: 0, items: [item] });
  await publisher.publish(engine.names.info(run), data);
}

/** A run's description, or undefined when there is none (any more). */
export async function fetchRunInfo(engine: Engine, run: string): Promise<RunInfo | undefined> {
  const data = await lastMessage(engine, engine.names.info(run));
  if (data === undefined) return undefined;
  const [item] = decodeBatch(data, BatchType.JOBS).items;
  if (item === undefined) return undefined;
  return decodeValue(await new LargeValues(engine).incoming(item)) as RunInfo;
}

/** Last message of a subject of the runs' stream. */
export async function lastMessage(
  { jsm, names }: Engine,
  subject: string,
): Promise<Uint8Array | undefined> {
  try {
    const message = await jsm.streams.getMessage(names.runsStream, { last_by_subj: subject });
    return message?.data;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
