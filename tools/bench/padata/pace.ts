/** Jobs at an even pace, and what two wake-ups cost on this machine without any pool. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { OpenSubject, Subject } from './peers.js';

const counter = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(4));

/** Resolves when the word is no longer `seen`; the event loop runs meanwhile. */
async function changed(word: Int32Array<SharedArrayBuffer>, seen: number): Promise<number> {
  const wait = Atomics.waitAsync(word, 0, seen);
  if (wait.async) await wait.value;
  return Atomics.load(word, 0);
}

/**
 * Calls `onDue` `total` times, `perSecond` times a second; what is late is made up for. The calling thread sleeps between.
 */
async function atPace(total: number, perSecond: number, onDue: () => void): Promise<void> {
  const ticks = counter();
  const workerData = { counter: ticks, periodMs: 1000 / perSecond, total };
  const pacer = new Worker(new URL('threads/pacer.mjs', import.meta.url), {
    workerData,
    execArgv: [],
  });
  const ended = once(pacer, 'exit');
  for (let sent = 0; sent < total;) {
    const due = await changed(ticks, sent);
    for (; sent < due; sent += 1) onDue();
  }
  await ended;
}

/** Milliseconds from `run` to result of jobs at an even pace, in the order of their results. */
export async function latencies(
  subject: OpenSubject,
  value: unknown,
  { total, perSecond }: { readonly total: number; readonly perSecond: number },
): Promise<number[]> {
  const times: number[] = [];
  const pending: Promise<unknown>[] = [];
  await atPace(total, perSecond, () => {
    const start = performance.now();
    const job = subject.run(value).then(() => {
      times.push(performance.now() - start);
    });
    pending.push(job);
  });
  await Promise.all(pending);
  return times;
}

/**
 * A thread that is woken and wakes the caller in turn, as a subject whose jobs do nothing.
 * @param way  how the caller's event loop is woken
 */
export function twoWakeUps(way: 'message' | 'word'): Subject {
  return {
    name: `two wake-ups, by ${way}`,
    version: process.version,
    async open() {
      const asked = counter();
      const answered = counter();
      const thread = new Worker(new URL('threads/echo.mjs', import.meta.url), {
        workerData: { asked, answered, way },
        execArgv: [],
      });
      await once(thread, 'message');
      let last = 0;
      let waiting: { readonly number: number; readonly resolve: () => void }[] = [];
      thread.on('message', (number: number) => {
        const done = waiting.filter((one) => one.number <= number);
        waiting = waiting.filter((one) => one.number > number);
        for (const { resolve } of done) resolve();
      });
      const run = async (): Promise<void> => {
        last += 1;
        const number = last;
        const byMessage = new Promise<void>((resolve) => waiting.push({ number, resolve }));
        Atomics.store(asked, 0, number);
        Atomics.notify(asked, 0);
        if (way === 'message') {
          await byMessage;
          return;
        }
        for (let seen = 0; seen < number;) seen = await changed(answered, seen);
      };
      const close = async (): Promise<void> => {
        Atomics.store(asked, 0, -1);
        Atomics.notify(asked, 0);
        await thread.terminate();
      };
      return { run, close };
    },
  };
}
