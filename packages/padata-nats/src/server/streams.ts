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
import { Kept } from './kept.js';
import { Pulse } from './pulse.js';

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
  /** Whether the server is there. */
  readonly pulse: Pulse;
  /** Bytes of a message at most. */
  readonly maxPayload: number;
  /** Age at which messages go, in milliseconds. */
  readonly retentionMs: number;
  /** The object store, opened at first use. */
  readonly values: Kept<ObjectStore>;
  /** Makes the stream of messages that nobody could use, where it is missing. @throws what the server says */
  keepDead(): Promise<void>;
  /** Makes streams that are gone again. @throws what the server says */
  restore(): Promise<void>;
}

const NANOS = 1e6;
/**
 * A stream that was there is made again only after so long, in milliseconds: a server that takes one away takes its files away a little
 * later, also those of a new one of the same name.
 */
const GONE_MS = 500;
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
    const store = new Kept(() =>
      new Objm(js).create(names.bucket, { storage, replicas, ttl: retentionMs * NANOS }),
    );
    let made = await ensureStreams(jsm, names, common);
    return {
      nc,
      names,
      js,
      jsm,
      pulse: new Pulse(nc),
      maxPayload: (nc.info?.max_payload ?? 1_048_576) - ENVELOPE_BYTES,
      retentionMs,
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
        const now = await ensureStreams(jsm, names, common, GONE_MS);
        // The bucket went the same way.
        if (now !== made) store.forget();
        made = now;
      },
      values: store,
    };
  } catch (error) {
    throw serverError('the server refuses to keep jobs', error);
  }
}

/** @returns when they were made */
async function ensureStreams(
  jsm: JetStreamManager,
  names: Names,
  common: Partial<StreamConfig>,
  goneMs = 0,
): Promise<string> {
  const { prefix } = names;
  const ensure = (config: Partial<StreamConfig> & { name: string }): Promise<string> =>
    ensureStream(jsm, { ...common, ...config }, goneMs);
  const made = await Promise.all([
    ensure({ name: names.jobsStream, subjects: [names.jobsOf()], retention: 'workqueue' }),
    ensure({ name: names.resultsStream, subjects: [`${prefix}.res.*`] }),
    ensure({
      name: names.runsStream,
      subjects: [`${prefix}.run.*`, `${prefix}.pos.*`, `${prefix}.try.*.*`],
      max_msgs_per_subject: 1,
    }),
  ]);
  return made.join(' ');
}

/**
 * @param goneMs makes it only when it is still not there after so long
 * @returns when the stream was made
 */
async function ensureStream(
  jsm: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
  goneMs = 0,
): Promise<string> {
  try {
    return (await jsm.streams.info(config.name)).created;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    if (goneMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, goneMs));
      return await ensureStream(jsm, config);
    }
    // Two that make the same stream at once both succeed: the configurations are equal.
    return (await jsm.streams.add(config)).created;
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
