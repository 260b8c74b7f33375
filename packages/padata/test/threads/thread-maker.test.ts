// Making threads, and the one that is started ahead of whoever leads it.
import { expect, test } from '@jest/globals';
import { makeControl, poolPlan } from '../../dist/pool/pool-options.js';
import type { Platform, PlatformWorkerOptions } from '../../dist/threads/platform.js';
import { ThreadMaker } from '../../dist/threads/thread-maker.js';

/** A platform that starts nothing and remembers what it was asked for. */
class Stage {
  readonly started: { readonly id: number; readonly options: PlatformWorkerOptions }[] = [];
  readonly ended: number[] = [];
  /** What the next start ends with. */
  error: unknown;

  readonly platform = {
    startWorker: ({ id }: { id: number }, options: PlatformWorkerOptions) => {
      const { error } = this;
      this.error = undefined;
      if (error !== undefined) throw error as Error;
      this.started.push({ id, options });
      const terminate = (): Promise<void> => Promise.resolve(void this.ended.push(id));
      return { terminate };
    },
  } as unknown as Platform;

  readonly maker = new ThreadMaker(this.platform, makeControl(poolPlan({ threads: 2 })), {
    name: 'made',
    idle: 'block',
    execArgv: undefined,
    env: undefined,
    resourceLimits: undefined,
    factory: undefined,
    wear: undefined,
  });

  readonly failures: unknown[] = [];

  make(id: number, isProof = false): ReturnType<ThreadMaker['make']> {
    return this.maker.make({ id, isProof, setup: undefined }, (error) => this.failures.push(error));
  }

  get ids(): number[] {
    return this.started.map(({ id }) => id);
  }
}

test('a thread that was started ahead is handed over once, to whoever asks for it', () => {
  const stage = new Stage();
  stage.maker.startAhead(1, undefined);
  expect(stage.ids).toEqual([1]);
  expect(stage.make(2)?.id).toBe(2);
  expect(stage.ids).toEqual([1, 2]);
  const member = stage.make(1);
  expect([member?.id, member?.state]).toEqual([1, 'starting']);
  expect(stage.ids).toEqual([1, 2]);
  // It has ended, and another takes its place.
  expect(stage.make(1)).not.toBe(member);
  expect(stage.ids).toEqual([1, 2, 1]);
  stage.maker.endAhead();
  expect(stage.ended).toEqual([]);
});

test('what it says and that it ends is told to whoever leads the threads', () => {
  const stage = new Stage();
  stage.maker.startAhead(1, undefined);
  const told: unknown[] = [];
  stage.maker.tell({
    onMessage: (member, message) => told.push([member.id, message]),
    onEnd: (member, { exitCode }) => told.push([member.id, exitCode]),
  });
  const [{ options }] = stage.started as [(typeof stage.started)[0]];
  options.onMessage('hello');
  options.onEnd({ exitCode: 3, error: undefined });
  expect(told).toEqual([
    [1, 'hello'],
    [1, 3],
  ]);
});

test('a thread that imports a suspect is another', () => {
  const stage = new Stage();
  stage.maker.startAhead(1, undefined);
  expect(stage.make(1, true)?.isProof).toBe(true);
  expect(stage.ids).toEqual([1, 1]);
});

test('what nobody has asked for is ended, once', () => {
  const stage = new Stage();
  stage.maker.startAhead(1, undefined);
  stage.maker.endAhead();
  stage.maker.endAhead();
  expect(stage.ended).toEqual([1]);
  expect(stage.make(1)?.id).toBe(1);
  expect(stage.ids).toEqual([1, 1]);
});

test('where it cannot be started whoever asks for it hears of that, or gets what can by then', () => {
  const stage = new Stage();
  stage.error = new Error('no memory');
  stage.maker.startAhead(1, undefined);
  const again = new Error('still none');
  stage.error = again;
  expect(stage.make(1)).toBeUndefined();
  expect(stage.failures).toEqual([again]);
  expect(stage.make(1)?.id).toBe(1);
});

test("the caller's mistakes are thrown at once", () => {
  const stage = new Stage();
  stage.error = Object.assign(new Error('--bad'), { code: 'ERR_WORKER_INVALID_EXEC_ARGV' });
  expect(() => {
    stage.maker.startAhead(1, undefined);
  }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }));
  expect(stage.failures).toEqual([]);
});
