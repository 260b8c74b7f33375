// Types of `wrap`, `functionRef` and `pool.run`: this file is compiled, never run. A line that must not compile says so.
import { createWorkPool, functionRef, wrap } from '@bootmem/padata';
import type { FunctionRef, JobOptions } from '@bootmem/padata';
import type { JobContext } from '@bootmem/padata/worker';
import type * as Jobs from '../fixtures/wrapped-jobs.mjs';

type IsAny<T> = 0 extends 1 & T ? true : false;
/** Are both the same type? `any` is the same as itself only. */
type Same<A, B> = IsAny<A> extends IsAny<B> ? ([A, B] extends [B, A] ? true : false) : false;
function expectType<Expected>() {
  return <Actual>(_value: Actual, _same: Same<Actual, Expected>): void => undefined;
}

const pool = createWorkPool({ threads: 1 });
const url = new URL('../fixtures/wrapped-jobs.mjs', import.meta.url);
const jobs = wrap<typeof Jobs>(pool, url, { shared: { base: 1 } });

// Results as they cross: promises unwrapped, a Buffer as what arrives.
expectType<Promise<string>>()(jobs.later(1), true);
expectType<Promise<Uint8Array>>()(jobs.hash(new Uint8Array(1)), true);
expectType<Promise<number>>()(jobs.plus(1), true);
expectType<Promise<Map<string, number>>>()(jobs.where({ deep: [] }), true);

// Arguments: one, none, or one that may be left out; then the options of a job.
expectType<[input: number, options?: JobOptions]>()({} as Parameters<typeof jobs.later>, true);
expectType<[input?: undefined, options?: JobOptions]>()(
  {} as Parameters<typeof jobs.noArgument>,
  true,
);
expectType<Promise<number>>()(jobs.noArgument(), true);
expectType<Promise<number>>()(jobs.optional(), true);
expectType<Promise<number>>()(jobs.optional(3, { signal: AbortSignal.timeout(1) }), true);
// @ts-expect-error an input is wanted
void jobs.later();
// @ts-expect-error of another type
void jobs.later('1');
// @ts-expect-error a function without parameters takes no input
void jobs.noArgument(1);
// @ts-expect-error the context comes from the thread
void jobs.plus(1, { seq: 0 });

// What no job can be is no member: two numbers, three parameters, a text, a class.
type Members = Exclude<keyof typeof jobs, typeof Symbol.asyncDispose>;
expectType<'asks' | 'hash' | 'later' | 'noArgument' | 'optional' | 'plus' | 'where'>()(
  {} as Members,
  true,
);
// `shared` is what the functions' contexts say.
// @ts-expect-error it is wanted
void wrap<typeof Jobs>(pool, url);
// @ts-expect-error and of that type
void wrap<typeof Jobs>(pool, url, { shared: { base: 'one' } });
// @ts-expect-error the function is the member's name
void wrap<typeof Jobs>(pool, url, { shared: { base: 1 }, fn: { module: url, name: 'later' } });
// What is local is the pool's affair: it changes neither the arguments nor `shared`.
expectType<[input: string, options?: JobOptions]>()({} as Parameters<typeof jobs.asks>, true);
expectType<JobContext<number, Date>['local']>()(new Date(), true);
declare const context: JobContext;
expectType<unknown>()(context.local, true);
// Where no context says anything it may be left out, or be anything.
type Plain = Pick<typeof Jobs, 'later' | 'where'>;
void wrap<Plain>(pool, url);
void wrap<Plain>(pool, url, { shared: 1, window: 4 });

// References: the names of the functions of a module, and the function's type.
const ref = functionRef<typeof Jobs, 'later'>(url, 'later');
expectType<FunctionRef<(ms: number) => Promise<string>>>()(ref, true);
// @ts-expect-error no function of the module
functionRef<typeof Jobs, 'version'>(url, 'version');
expectType<Promise<string>>()(pool.run(ref, 1), true);
// @ts-expect-error of another type
void pool.run(ref, 'one');
