/**
 * What workers need to know about a run: stored by its submitter, fetched by each worker at the run's first job. Whoever may publish
 * may have written it, so each field is checked. Whose the name is, a submitter finds out by `standingOf`.
 */
import type { StoredMsg } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { decodeBatch, encodeBatch, BatchType } from '../wire/batch.js';
import { PadataNatsError } from '../wire/errors.js';
import { isKey } from '../wire/seal.js';
import { ItemKind, SKIPPED, decodeValue, encodeValue } from '../wire/values.js';
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
  /** What all of the run's messages are sealed with; the same after a resume. */
  readonly key: Uint8Array;
  /** Times the run was resumed, modulo 256. */
  readonly epoch: number;
  /** A job may be run again when it is unknown whether it ran. */
  readonly idempotent: boolean;
  /** Runs again at most so many times. */
  readonly retries: number;
  /** Values of a range's chunks are asked for; not told = they are. */
  readonly isAsked?: boolean | undefined;
  /** As for the local series. */
  readonly slotBytes?: number | undefined;
  readonly inputBytes?: 'view' | 'copy' | undefined;
  /** Time between asking a job to stop and ending its thread, in milliseconds. */
  readonly graceMs?: number | undefined;
}

/** Header of a description: the submitter that the run belongs to. */
const OWNER = 'Padata-Owner';

/** How a run's name stands, and the number of the message that says so (0 = there is none). */
export interface Standing {
  /** `taken`: another submitter's; `odd`: words of a stranger, or the submitter's own with a value that is gone. */
  readonly is: 'none' | 'ended' | 'ours' | 'taken' | 'odd';
  readonly sequence: number;
}

/** A description as it lies on the server. */
export interface Description {
  readonly info: RunInfo;
  readonly sequence: number;
  /** Name of its value in the object store, where it is too large for a message. */
  readonly value: string | undefined;
}

/** What became of a description that was to be stored. */
interface Published {
  /** Number of the message; undefined = the last one was not the expected one. */
  readonly sequence: number | undefined;
  /** As in `Description`. */
  readonly value: string | undefined;
}

/**
 * Stores a run's description, if the last one is still the expected one. A large value has a name of its owner's: whoever comes too late
 * overwrites nothing.
 * @param last number of the last message; 0 = there is none
 * @throws ERR_PADATA_NATS_SERVER, ERR_PADATA_NATS_VALUE, PadataError ERR_PADATA_CLONE
 */
export async function publishRunInfo(
  engine: Engine,
  publisher: Publisher,
  run: string,
  { info, owner, last }: { readonly info: RunInfo; readonly owner: string; readonly last: number },
): Promise<Published> {
  const name = `${run}.${owner}${INFO_END}`;
  const item = await new LargeValues(engine).outgoing(encodeValue(info), name);
  const data = encodeBatch({ type: BatchType.JOBS, first: 0, micros: 0, items: [item] });
  const said = headers();
  said.set(OWNER, owner);
  const sequence = await publisher.publishAfter(engine.names.info(run), data, last, said);
  return { sequence, value: item.kind === ItemKind.STORED ? name : undefined };
}

const INFO_END = '.info';

/** What a field of a description has to be. */
const FIELDS: Readonly<Record<keyof RunInfo, (value: unknown) => boolean>> = {
  kind: (value) => value === 'series' || value === 'range',
  module: isName,
  name: isName,
  shared: () => true,
  key: isKey,
  epoch: (value) => isWhole(value, 0, 255),
  idempotent: (value) => typeof value === 'boolean',
  retries: (value) => isWhole(value, 0, MOST_RETRIES),
  isAsked: (value) => value === undefined || typeof value === 'boolean',
  slotBytes: (value) => value === undefined || isWhole(value, 0, 2 ** 31 - 1),
  inputBytes: (value) => value === undefined || value === 'view' || value === 'copy',
  graceMs: (value) => value === undefined || isWhole(value, 0, 2 ** 31 - 1),
};
const MOST_RETRIES = 1000;
/** Characters of a name of a module or function. */
const LONGEST_NAME = 4096;

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME;
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

/**
 * A description as it came: anybody who may publish may have written it. Fields that are not known are let go of.
 * @throws ERR_PADATA_NATS_WIRE for anything but a description
 */
export function parseRunInfo(value: unknown): RunInfo {
  const given = Object(value) as Record<string, unknown>;
  const own = (name: string): unknown => (Object.hasOwn(given, name) ? given[name] : undefined);
  for (const [name, fits] of Object.entries(FIELDS)) {
    if (fits(own(name))) continue;
    const message = `no description of a run: ${name} is of another kind, or out of range`;
    throw new PadataNatsError('ERR_PADATA_NATS_WIRE', message, { field: name });
  }
  const entries = Object.keys(FIELDS).map((name) => [name, own(name)]);
  return Object.fromEntries(entries) as RunInfo;
}

/**
 * A run's description, or undefined when there is none (any more), or the run was taken off the server.
 * @throws ERR_PADATA_NATS_WIRE when what is there is none, ERR_PADATA_NATS_VALUE when its value is gone
 */
export async function fetchRunInfo(engine: Engine, run: string): Promise<RunInfo | undefined> {
  return (await fetchDescription(engine, run))?.info;
}

/** As `fetchRunInfo`, with what the server says of it. @throws as that */
export async function fetchDescription(
  engine: Engine,
  run: string,
): Promise<Description | undefined> {
  const message = await lastStored(engine, engine.names.info(run));
  if (message === undefined) return undefined;
  const [item] = decodeBatch(message.data, BatchType.JOBS).items;
  if (item?.kind === ItemKind.SKIPPED) return undefined;
  const named = item?.kind === ItemKind.STORED ? Buffer.from(item.bytes).toString() : '';
  // A stranger may have named any object there is.
  const isInfo = named.startsWith(`${run}.`) && named.endsWith(INFO_END);
  return {
    info: parseRunInfo(item && decodeValue(await new LargeValues(engine).incoming(item))),
    sequence: message.seq,
    value: isInfo ? named : undefined,
  };
}

/**
 * How a run's name stands for a submitter.
 * @param owner the submitter's word
 * @param key   looks into its own description too, which costs as much as the value: is it the one with this key, and whole?
 * @throws what the server says
 */
export async function standingOf(
  engine: Engine,
  run: string,
  owner: string,
  key?: Uint8Array,
): Promise<Standing> {
  const message = await lastStored(engine, engine.names.info(run));
  if (message === undefined) return { is: 'none', sequence: 0 };
  return { is: await saidBy(engine, message, owner, key), sequence: message.seq };
}

async function saidBy(
  engine: Engine,
  message: StoredMsg,
  owner: string,
  key: Uint8Array | undefined,
): Promise<Standing['is']> {
  try {
    const [item] = decodeBatch(message.data, BatchType.JOBS).items;
    if (item?.kind === ItemKind.SKIPPED) return 'ended';
    const by = message.header.get(OWNER);
    if (by !== owner) return by === '' ? 'odd' : 'taken';
    if (key === undefined) return 'ours';
    const info = parseRunInfo(item && decodeValue(await new LargeValues(engine).incoming(item)));
    return Buffer.compare(info.key, key) === 0 ? 'ours' : 'odd';
  } catch (error) {
    const isOdd = error instanceof PadataNatsError && error.code === 'ERR_PADATA_NATS_WIRE';
    const isGone = error instanceof PadataNatsError && error.details['isGone'] === true;
    if (isOdd || isGone) return 'odd';
    throw error;
  }
}

/**
 * Takes a run off the server: in place of its description lies that it has ended. A description that is gone without it is one that
 * the server lost.
 */
export async function publishRunEnd(
  { names }: Engine,
  publisher: Publisher,
  run: string,
): Promise<void> {
  const batch = { type: BatchType.JOBS, first: 0, micros: 0, items: [SKIPPED] };
  await publisher.publish(names.info(run), encodeBatch(batch));
}

/** Last message of a subject of the runs' stream. */
export async function lastMessage(
  engine: Engine,
  subject: string,
): Promise<Uint8Array | undefined> {
  return (await lastStored(engine, subject))?.data;
}

async function lastStored({ jsm, names }: Engine, subject: string): Promise<StoredMsg | undefined> {
  try {
    const message = await jsm.streams.getMessage(names.runsStream, { last_by_subj: subject });
    return message ?? undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
