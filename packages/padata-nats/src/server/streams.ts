/**
 * The streams and consumers of a prefix: made when missing, used as they are when an administrator made them.
 *
 * Jobs are kept until acknowledged (work queue), results until their run trims them, both at most `retentionMs`:
 * a run whose submitter never comes back leaves nothing behind. What nobody could use is kept beside them.
 */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamClient, JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import { Objm } from '@nats-io/obj';
import type { ObjectStore } from '@nats-io/obj';
import type { NatsConnection } from '@nats-io/transport-node';
import { PadataNatsError, textOf } from '../wire/errors.js';
import type { Names } from '../wire/names.js';

/** How the server keeps things. */
export interface StorageOptions {
  /** 'file' (default) survives a restart of the server; 'memory' is quicker and does not. */
  readonly storage?: 'file' | 'memory';
  /** Copies in a cluster; default 1. */
  readonly replicas?: number;
  /** Age at which messages go, in milliseconds; default one day. */
  readonly retentionMs?: number;
  /** Time within which a message id counts once, in milliseconds; default two minutes. */
  readonly duplicateWindowMs?: number;
}

/** One prefix on the server. */
export interface Engine {
  readonly nc: NatsConnection;
  readonly names: Names;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** Bytes of a message at most. */
  readonly maxPayload: number;
  /** Age at which messages go, in milliseconds. */
  readonly retentionMs: number;
  /** Opens the object store, at first use. */
  values(): Promise<ObjectStore>;
  /** The streams as they were when last looked at. */
  marks(): StreamMarks;
  /** Makes the stream of messages that nobody could use, where it is missing. @throws what the server says */
  keepDead(): Promise<void>;
  /** Makes streams that are gone again. @throws what the server says */
  restore(): Promise<StreamMarks>;
}

/** When streams were made; another time means that what was in them is gone. */
export interface StreamMarks {
  readonly results: string;
  readonly runs: string;
}

const NANOS = 1e6;
/** Unusable messages that are kept, and their bytes. */
const MOST_DEAD = 10_000;
const MOST_DEAD_BYTES = 2 ** 26;
/** Room for subject, headers and message id in a message. */
const ENVELOPE_BYTES = 1024;

/**
 * Makes what is missing.
 * @throws ERR_PADATA_NATS_SERVER when JetStream is off or refuses
 */
export async function openEngine(
  nc: NatsConnection,
  names: Names,
  options: StorageOptions = {},
): Promise<Engine> {
  const { storage = 'file', replicas = 1 } = options;
  const retentionMs = options.retentionMs ?? 86_400_000;
  const duplicateMs = Math.min(options.duplicateWindowMs ?? 120_000, retentionMs);
  const common = {
    storage,
    num_replicas: replicas,
    max_age: retentionMs * NANOS,
    duplicate_window: duplicateMs * NANOS,
  };
  try {
    const jsm = await jetstreamManager(nc);
    const js = jetstream(nc);
    let store: Promise<ObjectStore> | undefined;
    let marks = await ensureStreams(jsm, names, common);
    return {
      nc,
      names,
      js,
      jsm,
      maxPayload: (nc.info?.max_payload ?? 1_048_576) - ENVELOPE_BYTES,
      retentionMs,
      marks: () => marks,
      keepDead: async () => {
        await ensureStream(jsm, {
          ...common,
          name: names.deadStream,
          subjects: [names.dead()],
          // Whoever may publish jobs may publish any number of bad ones: the oldest go.
          max_msgs: MOST_DEAD,
          max_bytes: MOST_DEAD_BYTES,
        });
      },
      restore: async () => {
        const now = await ensureStreams(jsm, names, common);
        // The bucket went the same way.
        if (now.results !== marks.results) store = undefined;
        marks = now;
        return now;
      },
      values: () =>
        (store ??= new Objm(js).create(names.bucket, {
          storage,
          replicas,
          ttl: retentionMs * NANOS,
        })),
    };
  } catch (error) {
    throw serverError('the server refuses to keep jobs', error);
  }
}

async function ensureStreams(
  jsm: JetStreamManager,
  names: Names,
  common: Partial<StreamConfig>,
): Promise<StreamMarks> {
  const { prefix } = names;
  await ensureStream(jsm, {
    ...common,
    name: names.jobsStream,
    subjects: [names.jobsOf()],
    retention: 'workqueue',
  });
  const results = await ensureStream(jsm, {
    ...common,
    name: names.resultsStream,
    subjects: [`${prefix}.res.*`],
  });
  const runs = await ensureStream(jsm, {
    ...common,
    name: names.runsStream,
    subjects: [`${prefix}.run.*`, `${prefix}.pos.*`, `${prefix}.try.*.*`],
    max_msgs_per_subject: 1,
  });
  return { results, runs };
}

/** @returns when the stream was made */
async function ensureStream(
  jsm: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<string> {
  try {
    return (await jsm.streams.info(config.name)).created;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    // Two that make the same stream at once both succeed: the configurations are equal.
    return (await jsm.streams.add(config)).created;
  }
}

/**
 * The consumer that all workers of a module share. One that is there keeps the time that it was made with.
 * @param ackWaitMs time without a sign of life after which a message goes to another worker, if it has to be made
 * @returns that time as it is, in milliseconds
 */
export async function ensureConsumer(
  { jsm, names }: Engine,
  token: string,
  ackWaitMs: number,
): Promise<number> {
  const durable = names.consumer(token);
  try {
    const { config } = await jsm.consumers.info(names.jobsStream, durable);
    return (config.ack_wait ?? ackWaitMs * NANOS) / NANOS;
  } catch (error) {
    if (!isNotFound(error))
      throw serverError('the server tells nothing about its consumers', error);
    try {
      const { config } = await jsm.consumers.add(names.jobsStream, {
        durable_name: durable,
        ack_policy: 'explicit',
        ack_wait: ackWaitMs * NANOS,
        // The worker counts: after the last delivery the server would say nothing to anybody.
        max_deliver: -1,
        max_ack_pending: -1,
        filter_subject: names.jobsOf(token),
      });
      return (config.ack_wait ?? ackWaitMs * NANOS) / NANOS;
    } catch (second) {
      throw serverError('the server refuses a consumer', second);
    }
  }
}

/** True for "no such stream, consumer or message". */
export function isNotFound(error: unknown): boolean {
  return /not found|no message found/i.test(textOf(error));
}

/** An error of the server with its reason. */
export function serverError(what: string, error: unknown): PadataNatsError {
  return new PadataNatsError(
    'ERR_PADATA_NATS_SERVER',
    `${what}: ${textOf(error)}`,
    {},
    { cause: error },
  );
}
