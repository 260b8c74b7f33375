/**
 * A real nats-server on loopback for the tests, with a store of its own. Where there is none (NATS_SERVER, PATH,
 * /usr/sbin), the tests that need it are skipped, and say so.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';

function findServer(): string | undefined {
  const named = process.env['NATS_SERVER'];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  const places = [named, ...folders.map((folder) => join(folder, 'nats-server'))];
  return places.find((place) => place !== undefined && place !== '' && existsSync(place));
}

const binary = findServer();
/** Is there a server to be tested with? */
export const hasServer = binary !== undefined;

/** `describe` with a server, or a skipped one that says why. */
export const withServer: typeof describe | typeof describe.skip =
  binary === undefined ? describe.skip : describe;

if (binary === undefined) {
  process.stderr.write(
    '\n*** SKIPPED: no nats-server on this machine (NATS_SERVER, PATH): nothing that needs one is tested.\n' +
      '*** Debian: apt-get install nats-server. Elsewhere: https://docs.nats.io/running-a-nats-service\n\n',
  );
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function answers(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** A server that can be restarted on its port, with its store. */
export class TestServer {
  readonly url: string;
  readonly folder: string;
  readonly #port: number;
  readonly #config: string;
  /** Of the configuration. */
  readonly #text: string;
  #child: ChildProcess | undefined;

  private constructor(host: string, port: number, folder: string, config: string) {
    this.#port = port;
    this.folder = folder;
    this.url = `nats://${host}:${port}`;
    this.#config = config;
    this.#text = readFileSync(config, 'utf8');
  }

  /** @param more further lines of the configuration; `FOLDER` stands for the server's folder */
  static async start(more = '', host = '127.0.0.1'): Promise<TestServer> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'padata-nats-'));
    const config = join(folder, 'server.conf');
    const store = JSON.stringify(join(folder, 'store'));
    writeFileSync(
      config,
      `host: ${host}\nport: ${port}\njetstream { store_dir: ${store} }\n${more.replaceAll('FOLDER', folder)}\n`,
    );
    const server = new TestServer(host, port, folder, config);
    await server.#start();
    return server;
  }

  /**
   * Ends the server as a crash would, and starts it again.
   * @param jetStream what stands for it in the configuration, if not what stood there at first
   */
  async restart(downMs = 300, jetStream?: string): Promise<void> {
    await this.#kill();
    await new Promise((resolve) => setTimeout(resolve, downMs));
    writeFileSync(
      this.#config,
      this.#text.replace(/^jetstream .*$/m, (old) => jetStream ?? old),
    );
    await this.#start();
  }

  async stop(): Promise<void> {
    await this.#kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const child = spawn(binary!, ['-c', this.#config], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += String(chunk);
    });
    this.#child = child;
    for (let tries = 0; tries < 200; tries += 1) {
      if (await answers('127.0.0.1', this.#port)) return;
      if (child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`nats-server does not start: ${text}`);
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** Jobs of the tests. */
export const jobsFile = fileURLToPath(new URL('../fixtures/jobs.mjs', import.meta.url));

/** A worker process, as an operator starts it. */
export class WorkerProcess {
  readonly child: ChildProcess;
  output = '';

  constructor(
    server: Pick<TestServer, 'url'>,
    args: readonly string[] = [],
    prefix: readonly string[] = [],
  ) {
    const command = [...prefix, process.execPath, main, 'worker', '-s', server.url];
    const all = [...command, '-m', `jobs=${jobsFile}`, '-t', '1', ...args];
    this.child = spawn(all[0]!, all.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += String(chunk);
      });
    }
  }

  /** Ends at once, as a crash would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Leaves in order; resolves with the exit code. */
  async leave(): Promise<number | null> {
    await this.#end('SIGTERM');
    return this.child.exitCode;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    await gone;
  }
}

/** Runs the command to its end. */
export async function command(...args: readonly string[]): Promise<{
  status: number | null;
  stdout: string;
  stderr: string;
}> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += String(chunk);
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout, stderr };
}
