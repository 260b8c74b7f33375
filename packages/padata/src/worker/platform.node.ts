/**
 * Backend for Node: worker_threads with one private MessageChannel per worker, so that user code may use
 * parentPort freely and the owner can receive without its event loop while it blocks.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
// Not `node:worker_threads`: webpack knows `Worker` by this name, and then emits the threads' file.
import { MessageChannel, Worker, workerData } from 'worker_threads';
import type { MessagePort } from 'worker_threads';
import { toErrorRecord } from '../base/error-record.js';
import { BUNDLES, PadataError } from '../base/errors.js';
import { ownWorker } from '../threads/own-worker.js';
import type {
  Platform,
  PlatformWorker,
  PlatformWorkerOptions,
  WorkerInit,
} from '../threads/platform.js';
import { UNREAD } from '../values/unread.js';
import { receiveFrom } from './receive.node.js';
import { START_DATA } from './start-data.node.js';

/** The threads' file by whatever name it is published. */
const OWN_FILE = 'worker.node';

// As it was at the start, as host-time says.
const nextTurn = setImmediate;

/** Flags whose value is the program text; a worker cannot start with them. */
const VALUE_FLAGS = new Set(['-e', '--eval', '-p', '--print', '-pe', '--input-type']);
const BAD_PREFIX = ['--input-type', '--eval=', '--print=', '--test', '--watch', '--inspect', '-pe'];
/** Options that concern the process and are refused when given to a worker by name. */
const WORKER_FLAGS =
  /^(--import|--require|-r|--loader|--experimental-|--conditions|-C|--no-warnings|--disable-warning|--enable-source-maps|--trace-)/;
const FLAGS_WITH_VALUE = new Set([
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
  '--disable-warning',
]);

/**
 * Arguments for the workers' Node: undefined = inherit, else those of the host that a worker accepts.
 * @param host the host's process.execArgv
 */
function workerExecArgv(host: readonly string[]): string[] | undefined {
  const bad = host.some((a) => VALUE_FLAGS.has(a) || BAD_PREFIX.some((p) => a.startsWith(p)));
  if (!bad) return undefined;
  const kept: string[] = [];
  for (let i = 0; i < host.length; i += 1) {
    const flag = host[i]!;
    if (!WORKER_FLAGS.test(flag)) continue;
    kept.push(flag);
    if (FLAGS_WITH_VALUE.has(flag) && i + 1 < host.length) {
      i += 1;
      kept.push(host[i]!);
    }
  }
  return kept;
}

/** Is this a thread of a pool that has not come to its own file yet? Then what runs is what Node was told to load before. */
function isBeingStarted(): boolean {
  return (workerData as { [START_DATA]?: unknown } | null)?.[START_DATA] !== undefined;
}

/** What is loaded before each thread's file makes a pool in each thread of that pool, and so on without end. */
function nestedStart(): PadataError {
  return new PadataError(
    'ERR_PADATA_MODULE',
    'a pool was to start threads while its own thread is being started, by what Node loads before (--import, --require): let only the main thread do that, if (isMainThread)',
  );
}

/**
 * Makes the thread, from padata's own entry or by the program, and hands it what it needs to begin.
 * @throws ERR_PADATA_MODULE where it would be one of threads without end, and what Worker throws
 */
function makeThread(init: WorkerInit, port: MessagePort, options: PlatformWorkerOptions): Worker {
  if (isBeingStarted()) throw nestedStart();
  const execArgv = options.execArgv ?? workerExecArgv(process.execArgv);
  const settings = {
    name: options.name,
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
    ...(options.resourceLimits === undefined
      ? {}
      : { resourceLimits: { ...options.resourceLimits } }),
  };
  const padata = { ...init, port };
  if (options.factory === undefined) {
    const given = { ...settings, workerData: { [START_DATA]: padata }, transferList: [port] };
    // Bundlers look for exactly this expression.
    return new Worker(new URL('./worker.node.js', import.meta.url), given);
  }
  const worker = ownWorker(options.factory(settings)) as Worker;
  worker.postMessage({ padata }, [port]);
  return worker;
}

/** An error that says what to do where the threads' file is not there; undefined = `cause` is another. @param file what its name has in it */
function missingFile(cause: unknown, file: string): PadataError | undefined {
  const { code, message } = toErrorRecord(cause);
  // In a CommonJS bundle the module's own address is unknown; in others the file is not beside the bundle. Not to be mistaken for it:
  // other files that a start reads, and the current directory.
  const isUnknown = code === 'ERR_INVALID_URL';
  const isMissing = /^((ERR_)?MODULE_NOT_FOUND|ENOENT)$/.test(code ?? '') && message.includes(file);
  if (!isUnknown && !isMissing) return undefined;
  return new PadataError(
    'ERR_PADATA_MODULE',
    `the file that threads start from is not there (${message}): the package was replaced while the program runs, or the program is bundled and is to have one of its own, see ${BUNDLES}`,
    {},
    { cause },
  );
}

function startWorker(init: WorkerInit, options: PlatformWorkerOptions): PlatformWorker {
  const { port1, port2 } = new MessageChannel();
  // A program's own may be any.
  const file = options.factory === undefined ? OWN_FILE : '';
  let worker: Worker;
  try {
    worker = makeThread(init, port2, options);
  } catch (cause) {
    port1.close();
    throw missingFile(cause, file) ?? cause;
  }
  worker.unref();
  let error: unknown;
  let tid = 0;
  let hasBegun = false;
  /** Each call of a worker's own listens for its end once more. */
  let ending: Promise<unknown> | undefined;
  port1.on('message', (message) => {
    hasBegun = true;
    options.onMessage(message);
  });
  port1.on('messageerror', () => {
    options.onMessage(UNREAD);
  });
  port1.unref();
  worker.on('error', (e) => {
    error = (hasBegun ? undefined : missingFile(e, file)) ?? e;
  });
  worker.on('messageerror', (e) => {
    error = e;
  });
  worker.on('exit', (exitCode) => {
    // What the worker posted before it ended is still in the port.
    for (let m = receiveFrom(port1); m !== undefined; m = receiveFrom(port1)) options.onMessage(m);
    port1.close();
    options.onEnd({ exitCode, error });
  });
  return {
    post(message, transfer) {
      port1.postMessage(message, transfer as never);
    },
    receive() {
      return receiveFrom(port1);
    },
    ref() {
      worker.ref();
      port1.ref();
    },
    unref() {
      worker.unref();
      port1.unref();
    },
    async terminate() {
      await (ending ??= worker.terminate());
    },
    isAlive() {
      // Linux names every thread under /proc; elsewhere the end is only known from the event.
      return tid === 0 || existsSync(`/proc/self/task/${tid}`);
    },
    identify(id) {
      tid = id;
    },
  };
}

/** The Node backend. */
export const platform: Platform = {
  availableParallelism,
  canBlock: () => true,
  startWorker,
  yieldToEvents: () => new Promise((resolve) => nextTurn(resolve)),
};
