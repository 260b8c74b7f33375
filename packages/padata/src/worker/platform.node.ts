/**
 * Backend for Node: worker_threads with one private MessageChannel per worker, so that user code may use
 * parentPort freely and the owner can receive without its event loop while it blocks.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import { PadataError } from '../base/errors.js';
import type {
  Platform,
  PlatformWorker,
  PlatformWorkerOptions,
  WorkerInit,
} from '../crew/platform.js';

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

/** @throws ERR_PADATA_ARGUMENT for a `worker` option: threads start from padata's own entry here */
function startWorker(init: WorkerInit, options: PlatformWorkerOptions): PlatformWorker {
  if (options.factory !== undefined) {
    throw new PadataError('ERR_PADATA_ARGUMENT', 'worker is an option for browsers', {
      name: 'worker',
    });
  }
  const { port1, port2 } = new MessageChannel();
  const execArgv = options.execArgv ?? workerExecArgv(process.execArgv);
  const settings = {
    workerData: { padata: { ...init, port: port2 } },
    transferList: [port2],
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
    name: options.name,
  };
  const worker = new Worker(new URL('./worker.node.js', import.meta.url), settings);
  worker.unref();
  let error: unknown;
  let tid = 0;
  port1.on('message', options.onMessage);
  port1.unref();
  worker.on('error', (e) => {
    error = e;
  });
  worker.on('messageerror', (e) => {
    error = e;
  });
  worker.on('exit', (exitCode) => {
    // What the worker posted before it ended is still in the port.
    for (let m = receiveMessageOnPort(port1); m !== undefined; m = receiveMessageOnPort(port1)) {
      options.onMessage(m.message);
    }
    port1.close();
    options.onEnd({ exitCode, error });
  });
  return {
    post(message, transfer) {
      port1.postMessage(message, transfer as never);
    },
    receive() {
      return receiveMessageOnPort(port1)?.message as unknown;
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
      await worker.terminate();
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
  yieldToEvents: () => new Promise((resolve) => setImmediate(resolve)),
};
