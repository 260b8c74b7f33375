import { describe, expect, test } from '@jest/globals';
import { HeldWatch } from '../dist/watch/held-watch.js';
import { Patience, Pulse } from '../dist/server/pulse.js';
import { Publisher } from '../dist/server/publisher.js';
import type { Engine } from '../dist/server/streams.js';

/** A server that says in turn whether it is there. */
function turns(...answers: readonly boolean[]): Pulse {
  const left = [...answers];
  return new Pulse({
    rtt: () => (left.shift() === true ? Promise.resolve(1) : Promise.reject(new Error('away'))),
  });
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

describe('what a server that is there refuses', () => {
  test('counts from its first refusal on, and is over when it is more than the bound', async () => {
    const patience = new Patience(turns(true, true), 0);
    expect(await patience.isOver()).toBe(false);
    await turn();
    expect(await patience.isOver()).toBe(true);
  });

  test('counts for nothing while the server is away, nor what went before', async () => {
    const patience = new Patience(turns(false, false, true), 0);
    for (const expected of [false, false, true]) {
      await turn();
      expect(await patience.isOver()).toBe(expected);
    }
  });

  test('counts anew after something was done', async () => {
    const patience = new Patience(turns(true, true, true), 0);
    expect(await patience.isOver()).toBe(false);
    patience.renew();
    await turn();
    expect(await patience.isOver()).toBe(false);
    await turn();
    expect(await patience.isOver()).toBe(true);
  });

  test('is waited for without end where no bound is set', async () => {
    expect(await new Patience(turns(true), Infinity).isOver()).toBe(false);
  });

  test('whoever asks at the same time asks once', async () => {
    let asked = 0;
    const pulse = new Pulse({
      rtt: async () => {
        asked += 1;
        await turn();
        return 1;
      },
    });
    expect(await Promise.all([pulse.isThere(), pulse.isThere()])).toEqual([true, true]);
    expect(asked).toBe(1);
  });
});

describe('a message that nobody stores', () => {
  /** Fails each publication; notes what was asked for. */
  function engineOf(pulse: Pulse, text: string, log: string[]): Engine {
    return {
      nc: { isClosed: () => false },
      js: {
        publish: () => {
          log.push('publish');
          return Promise.reject(new Error('jetstream is not enabled', { cause: new Error(text) }));
        },
      },
      pulse,
      restore: () => {
        log.push('restore');
        return Promise.reject(new Error('not now'));
      },
    } as unknown as Engine;
  }

  test('has its streams made again, and ends with a code when a server that is there stores it no more', async () => {
    const log: string[] = [];
    const publisher = new Publisher(engineOf(turns(false, false, true), 'no responders', log), 0);
    await expect(publisher.publish('a.b', new Uint8Array(1))).rejects.toMatchObject({
      code: 'ERR_PADATA_NATS_SERVER',
      message: 'a message for a.b was not stored: jetstream is not enabled',
    });
    expect(log).toEqual(['publish', 'restore', 'publish', 'restore', 'publish']);
  });

  test('is refused at once where another try would not help', async () => {
    const log: string[] = [];
    const publisher = new Publisher(engineOf(turns(), 'no space left on device', log), 0);
    await expect(publisher.publish('a.b', new Uint8Array(1))).rejects.toMatchObject({
      code: 'ERR_PADATA_NATS_SERVER',
    });
    expect(log).toEqual(['publish']);
  });
});

test('nothing of a run was held: only where somebody had a free place, was heard, and there were no news', () => {
  const watch = new HeldWatch(1000);
  const idle = { isHeld: false, isWanted: true, hasNews: false };
  expect(watch.look(idle, 1500)).toBe(500);
  expect(watch.look(idle, 2000)).toBe(1000);
  for (const other of [{ isHeld: true }, { isWanted: false }, { hasNews: true }]) {
    expect(watch.look({ ...idle, ...other }, 2500)).toBe(0);
    expect(watch.look(idle, 3000)).toBe(500);
    watch.look({ ...idle, hasNews: true }, 2500);
  }
  // A program that was stopped for a while knows nothing of that time.
  expect(watch.look(idle, 60_000)).toBe(0);
  expect(watch.look(idle, 60_500)).toBe(500);
});
