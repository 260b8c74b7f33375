/**
 * A cluster to try things with, on this machine: a NATS server with a store of its own on loopback, and worker
 * processes as an operator starts them. Everything is a child process and can be killed like one.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const CLOCK_TICKS = 100;

/** Where a server's program is: named by an environment variable, or on the PATH; undefined when it is not here. */
export function findProgram(name, variable) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  const places = [process.env[variable], ...folders.map((folder) => join(folder, name))];
  return places.find((place) => place !== undefined && place !== '' && existsSync(place));
}

export const findNatsServer = () => findProgram('nats-server', 'NATS_SERVER');

export async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Seconds of CPU that a process has used, by /proc; 0 where there is none. */
export function cpuSeconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
  } catch {
    return 0;
  }
}

const isRunning = (child) => child.exitCode === null && child.signalCode === null;

async function end(child, signal) {
  if (!isRunning(child)) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}

/** A child process; what it prints on its standard error is kept for the message when it does not start. */
class Child {
  errors = '';

  constructor(program, args, options = {}) {
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.child.stdout?.resume();
    this.child.stderr?.on('data', (chunk) => {
      this.errors = (this.errors + String(chunk)).slice(-4000);
    });
  }

  get pid() {
    return this.child.pid;
  }

  get isRunning() {
    return isRunning(this.child);
  }

  /** Ends at once, as a crash would. */
  kill() {
    return end(this.child, 'SIGKILL');
  }

  /** Leaves in order; resolves with the exit code. */
  async leave() {
    await end(this.child, 'SIGTERM');
    return this.child.exitCode;
  }

  async answers(port) {
    for (let tries = 0; tries < 200 && this.isRunning; tries += 1) {
      const isThere = await new Promise((resolve) => {
        const socket = connect({ host: '127.0.0.1', port }, () => {
          socket.destroy();
          resolve(true);
        });
        socket.once('error', () => resolve(false));
      });
      if (isThere) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`${this.child.spawnfile} does not start: ${this.errors}`);
  }
}

/** A server program that listens on a port of loopback, in a folder of its own. */
export class LocalServer {
  #program;
  #args;
  #process;

  constructor(program, port, folder, args) {
    this.#program = program;
    this.#args = args;
    this.port = port;
    this.folder = folder;
  }

  /**
   * The NATS server; throws when it is not installed.
   * @param {{ folder: string, command(program: string, args: readonly string[]): [string, string[]] }} [disk]  where its
   *   store lies, and what starts a program that sees it
   */
  static async nats(disk) {
    const program = findNatsServer();
    if (program === undefined)
      throw new Error('no nats-server: set NATS_SERVER, or install it (Debian: nats-server)');
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'padata-nats-'));
    const config = join(folder, 'server.conf');
    const store = JSON.stringify(join(disk?.folder ?? folder, 'store'));
    writeFileSync(config, `host: 127.0.0.1\nport: ${port}\njetstream { store_dir: ${store} }\n`);
    const [started, args] = disk?.command(program, ['-c', config]) ?? [program, ['-c', config]];
    const server = new LocalServer(started, port, folder, args);
    await server.start();
    return server;
  }

  get url() {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#process.pid;
  }

  async start() {
    this.#process = new Child(this.#program, this.#args, { cwd: this.folder });
    await this.#process.answers(this.port);
  }

  /** Ends as a crash would. */
  async kill() {
    await this.#process.kill();
  }

  /** Ends as a crash would, and starts again on the same port with the same store. */
  async restart(downMs = 300) {
    await this.#process.kill();
    await new Promise((resolve) => setTimeout(resolve, downMs));
    await this.start();
  }

  async stop() {
    await this.#process.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `padata-nats worker` in a process of its own. */
export class LocalWorker extends Child {
  /**
   * @param {string} url  the server
   * @param {Record<string, string | URL>} modules  names and files
   * @param {{ threads?: number, args?: readonly string[], node?: readonly string[] }} [options]  node: its own arguments
   */
  constructor(url, modules, { threads = 1, args = [], node = [] } = {}) {
    const offers = Object.entries(modules).flatMap(([name, file]) => [
      '-m',
      `${name}=${file instanceof URL ? fileURLToPath(file) : file}`,
    ]);
    const all = ['worker', '-s', url, ...offers, '-t', String(threads), ...args];
    super(process.execPath, [...node, command, ...all]);
  }
}

/** Several workers; those that were killed can be started again. */
export class LocalWorkers {
  #make;

  /** @param {string | readonly string[]} url  the server, or where each of them connects to */
  constructor(count, url, modules, options = {}) {
    const urlOf = (index) => (typeof url === 'string' ? url : url[index]);
    this.#make = (index) => new LocalWorker(urlOf(index), modules, options);
    this.all = Array.from({ length: count }, (_, index) => this.#make(index));
  }

  get pids() {
    return this.all.map(({ pid }) => pid);
  }

  /** Kills one, and puts a new one in its place. */
  async replace(index) {
    await this.all[index].kill();
    this.all[index] = this.#make(index);
  }

  async stop() {
    await Promise.all(this.all.map((worker) => worker.kill()));
  }
}
