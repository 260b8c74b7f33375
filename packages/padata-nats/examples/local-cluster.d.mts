import type { ChildProcess } from 'node:child_process';

export function findProgram(name: string, variable: string): string | undefined;
export function findNatsServer(): string | undefined;
export function freePort(): Promise<number>;
export function cpuSeconds(pid: number): number;

declare class Child {
  readonly child: ChildProcess;
  readonly errors: string;
  readonly pid: number;
  readonly isRunning: boolean;
  kill(): Promise<void>;
  leave(): Promise<number | null>;
}

export class LocalServer {
  constructor(program: string, port: number, folder: string, args: readonly string[]);
  static nats(disk?: {
    readonly folder: string;
    command(program: string, args: readonly string[]): [program: string, args: string[]];
  }): Promise<LocalServer>;
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly pid: number;
  start(): Promise<void>;
  kill(): Promise<void>;
  restart(downMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export interface LocalWorkerOptions {
  readonly threads?: number;
  readonly args?: readonly string[];
  readonly node?: readonly string[];
}

export class LocalWorker extends Child {
  constructor(
    url: string,
    modules: Readonly<Record<string, string | URL>>,
    options?: LocalWorkerOptions,
  );
}

export class LocalWorkers {
  /** @param url the server, or where each of them connects to */
  constructor(
    count: number,
    url: string | readonly string[],
    modules: Readonly<Record<string, string | URL>>,
    options?: LocalWorkerOptions,
  );
  readonly all: LocalWorker[];
  readonly pids: readonly number[];
  replace(index: number): Promise<void>;
  stop(): Promise<void>;
}
