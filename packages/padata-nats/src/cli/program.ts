/**
 * `padata-nats worker | status | purge`: what an operator needs on a host.
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { openConnection } from '../server/connection.js';
import type { ConnectionOptions } from '../server/connection.js';
import { Publisher } from '../server/publisher.js';
import { Roster } from '../server/roster.js';
import type { WorkerPresence } from '../server/roster.js';
import { publishRunEnd } from '../server/run-info.js';
import { isNotFound, openEngine } from '../server/streams.js';
import type { Engine } from '../server/streams.js';
import { PadataNatsError, textOf } from '../wire/errors.js';
import { DEFAULT_PREFIX, Names } from '../wire/names.js';
import { shown } from '../wire/shown.js';
import { startNatsWorker } from '../worker/nats-worker.js';

interface ServerFlags {
  readonly server: string[];
  readonly prefix: string;
  readonly creds?: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

interface WorkerFlags extends ServerFlags {
  readonly module: Record<string, string>;
  readonly threads?: number;
  readonly ackWait: number;
  readonly storage: 'file' | 'memory';
}

/** What an operator wants to know. */
interface Status {
  readonly prefix: string;
  readonly workers: readonly WorkerPresence[];
  /** Messages of jobs by run. */
  readonly waiting: Readonly<Record<string, number>>;
  readonly deadLetters: number;
}

const ok = 0;
const failed = 1;
const usage = 2;
/** Workers answer within this time, in milliseconds. */
const ANSWER_MS = 500;

/**
 * Runs the command.
 * @param args without node and script
 * @returns exit code: 0 done, 1 the work failed, 2 wrong usage
 */
export async function run(args: readonly string[]): Promise<number> {
  let code: number = ok;
  const program = new Command('padata-nats')
    .description('Ordered jobs and range jobs over NATS JetStream: worker hosts and their queue.')
    .version(packageVersion())
    .configureOutput({ writeErr: (text) => process.stderr.write(shown(text)) })
    .exitOverride();

  addServer(program.command('worker'))
    .description('take jobs for the named modules and run them on this host, until a signal comes')
    .requiredOption(
      '-m, --module <name=place>',
      'module to offer: a name for submitters and a file or package; NAME alone is a package (repeatable)',
      collectModule,
    )
    .option('-t, --threads <n>', 'threads (default: all CPUs)', count)
    .option(
      '--ack-wait <ms>',
      'give a silent worker’s jobs to another after this time',
      count,
      30_000,
    )
    .option(
      '--storage <kind>',
      'file or memory, where streams have to be made',
      storageKind,
      'file',
    )
    .action(async (flags: WorkerFlags) => {
      await worker(flags);
    });

  addServer(program.command('status'))
    .description('show the workers that are there, and what waits')
    .option('--json', 'one JSON object')
    .action(async (flags: ServerFlags & { readonly json?: boolean }) => {
      await status(flags);
    });

  addServer(program.command('purge <run>'))
    .description('take a run off the server: jobs, results, description')
    .action(async (runId: string, flags: ServerFlags) => {
      await purge(runId, flags);
    });

  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) code = error.exitCode === 0 ? ok : usage;
    else {
      process.stderr.write(`padata-nats: ${shown(textOf(error))}\n`);
      const isUsage = error instanceof PadataNatsError && error.code === 'ERR_PADATA_NATS_ARGUMENT';
      code = isUsage ? usage : failed;
    }
  }
  return code;
}

async function worker(flags: WorkerFlags): Promise<void> {
  const started = await startNatsWorker({
    ...connectionOf(flags),
    prefix: flags.prefix,
    modules: flags.module,
    ackWaitMs: flags.ackWait,
    storage: flags.storage,
    ...(flags.threads === undefined ? {} : { threads: flags.threads }),
  });
  const { threads, modules } = started.presence;
  await new Promise<void>((done) => {
    let leaving = false;
    const leave = (): void => {
      if (leaving) process.exit(failed);
      leaving = true;
      process.stdout.write('leaving: finishing what is held; once more to leave at once\n');
      void started.close().then(done, done);
    };
    process.on('SIGTERM', leave);
    process.on('SIGINT', leave);
    // Only now: whoever reads this may send a signal at once.
    process.stdout.write(
      `worker ${started.id}: ${threads} threads, prefix ${flags.prefix}, modules ${modules.join(', ')}\n`,
    );
  });
  const { jobs, failed: bad, deadLetters } = started.stats();
  const odd = deadLetters === 0 ? '' : `; ${deadLetters} messages moved to the dead letters`;
  process.stdout.write(`left after ${jobs} jobs, ${bad} of them given up${odd}\n`);
}

async function status(flags: ServerFlags & { readonly json?: boolean }): Promise<void> {
  const names = new Names(flags.prefix);
  const nc = await openConnection(connectionOf(flags));
  try {
    const engine = await openEngine(nc, names);
    const roster = new Roster(nc, names);
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    const workers = roster.workers();
    const { state } = await engine.jsm.streams.info(names.jobsStream, { subjects_filter: '>' });
    const deadLetters = await countDead(engine);
    const waiting: Record<string, number> = {};
    for (const [subject, messages] of Object.entries(state.subjects ?? {})) {
      waiting[names.runOf(subject)] = messages;
    }
    const found = { prefix: names.prefix, workers, waiting, deadLetters };
    const text = flags.json === true ? JSON.stringify(found) : statusText(found, names.deadStream);
    process.stdout.write(`${shown(text)}\n`);
  } finally {
    await nc.close();
  }
}

/** What waits, in lines. */
function statusText({ workers, waiting, deadLetters }: Status, deadStream: string): string {
  const runs = Object.entries(waiting);
  const lines = [`${workers.length} workers`];
  for (const { host, pid, threads, jobs, modules } of workers) {
    const does = `${threads} threads, ${jobs} messages held, ${modules.join(', ')}`;
    lines.push(`  ${oneLine(host)} pid ${pid}: ${oneLine(does)}`);
  }
  lines.push(`${runs.length} runs with jobs that are not done`);
  for (const [id, messages] of runs) lines.push(`  ${oneLine(id)}: ${messages} messages`);
  if (deadLetters > 0) lines.push(`${deadLetters} dead letters, in the stream ${deadStream}`);
  return lines.join('\n');
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ');
}

/** Messages that nobody could use; 0 while their stream was not needed. */
async function countDead({ jsm, names }: Engine): Promise<number> {
  try {
    return (await jsm.streams.info(names.deadStream)).state.messages;
  } catch (error) {
    if (isNotFound(error)) return 0;
    throw error;
  }
}

async function purge(runId: string, flags: ServerFlags): Promise<void> {
  const names = new Names(flags.prefix);
  const id = names.run(runId);
  const nc = await openConnection(connectionOf(flags));
  try {
    const engine = await openEngine(nc, names);
    const { jsm } = engine;
    // First: from now on whoever misses a job of the run knows why.
    await publishRunEnd(engine, new Publisher(engine), id);
    nc.publish(names.control(id), new TextEncoder().encode('now'));
    const jobs = await jsm.streams.purge(names.jobsStream, { filter: names.jobs('*', id) });
    const results = await jsm.streams.purge(names.resultsStream, { filter: names.results(id) });
    await jsm.streams.purge(names.runsStream, { filter: names.position(id) });
    await jsm.streams.purge(names.runsStream, { filter: names.tries(id) });
    nc.publish(names.control(id), new TextEncoder().encode('end'));
    await nc.flush();
    process.stdout.write(
      `${id}: ${jobs.purged} messages of jobs and ${results.purged} of results\n`,
    );
  } finally {
    await nc.close();
  }
}

function addServer(command: Command): Command {
  return command
    .option('-s, --server <url>', 'server (repeatable; default nats://127.0.0.1:4222)', collect, [])
    .option('-p, --prefix <name>', 'prefix of subjects and streams', DEFAULT_PREFIX)
    .option('--creds <file>', 'credentials file')
    .option('--user <name>', 'user')
    .option('--pass <text>', 'password')
    .option('--token <text>', 'token')
    .option('--tls', 'insist on TLS')
    .option('--tls-ca <file>', 'authorities, PEM')
    .option('--tls-cert <file>', 'own certificate, PEM')
    .option('--tls-key <file>', 'own key, PEM');
}

function connectionOf(flags: ServerFlags): ConnectionOptions {
  const { server, creds, user, pass, token, tls, tlsCa, tlsCert, tlsKey } = flags;
  const wantsTls = tls === true || tlsCa !== undefined || tlsCert !== undefined;
  return {
    ...(server.length === 0 ? {} : { servers: server }),
    ...(creds === undefined ? {} : { creds }),
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
    ...(wantsTls
      ? {
          tls: {
            ...(tlsCa === undefined ? {} : { ca: tlsCa }),
            ...(tlsCert === undefined ? {} : { cert: tlsCert }),
            ...(tlsKey === undefined ? {} : { key: tlsKey }),
          },
        }
      : {}),
  };
}

function collect(value: string, list: string[]): string[] {
  return [...list, value];
}

/** `jobs=./jobs.mjs`, `jobs=some-package`, or `some-package`. */
function collectModule(
  text: string,
  known: Record<string, string> | undefined,
): Record<string, string> {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  const place = at < 0 ? text : text.slice(at + 1);
  if (name === '' || place === '')
    throw new InvalidArgumentError('expected NAME=PLACE or a package');
  return { ...known, [name]: hrefOf(place) };
}

/** Files by path, packages as seen from the current folder. */
function hrefOf(place: string): string {
  if (/^(file|data|node):/.test(place)) return place;
  const path = resolve(place);
  if (/^[./]/.test(place) || existsSync(path)) return pathToFileURL(path).href;
  try {
    return pathToFileURL(createRequire(resolve('package.json')).resolve(place)).href;
  } catch {
    // A package without an entry for require: the loader looks from here on.
    return place;
  }
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected 1, 2, 3 …');
  return value;
}

function storageKind(text: string): 'file' | 'memory' {
  if (text === 'file' || text === 'memory') return text;
  throw new InvalidArgumentError('expected file or memory');
}

function packageVersion(): string {
  const url = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
}
