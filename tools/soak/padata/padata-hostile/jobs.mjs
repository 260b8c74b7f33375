// Job functions of the hostile soak. `act` does what its order says: give a result, or whatever else a function may do to
// the thread that calls it. What would end the program where the caller runs the job itself, throws there instead.
import { createWorkPool } from '@bootmem/padata';
import { completeDeferred, currentWorker } from '@bootmem/padata/worker';
import { give, token, unwrap } from './answers.mjs';
import { BOARD, leave, look } from './set-ups.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const never = () => new Promise(() => undefined);
function spin(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
function bomb(id) {
  return () => {
    throw new Error(`bomb of ${id}`);
  };
}
/** Something is wrong that only the function can see. */
const note = (context) => Atomics.add(context.shared, BOARD.WRONG, 1);

/** What may be given back that is no result. */
const UNCLONEABLE = [
  (id) => ({ id, f: () => 1 }),
  (id) => Object.defineProperty({}, 'x', { get: bomb(id), enumerable: true }),
  (id) => new Proxy({}, { ownKeys: bomb(id), get: bomb(id) }),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  () => Symbol('no result'),
  (id) => new Map([[1, Object.defineProperty({}, 'x', { get: bomb(id), enumerable: true })]]),
  (id) => ({ id, deep: new WeakMap() }),
];
/** What may be thrown. */
const THROWN = [
  (id) => new RangeError(`failure of ${id}`),
  (id) =>
    Object.assign(new Error(`failure of ${id}`, { cause: new TypeError('why') }), {
      id,
      code: 'E_OWN',
    }),
  (id) => `failure of ${id}`,
  () => undefined,
  () => null,
  (id) => Object.defineProperty(new Error(), 'message', { get: bomb(id) }),
  (id) => new Proxy({}, { has: bomb(id), get: bomb(id) }),
  (id) => new AggregateError([new Error(`failure of ${id}`)], 'several'),
  () => new globalThis.DOMException('failure', 'DataError'),
  () => ({ then: bomb(0) }),
];
const pick = (list, variant) => list[variant % list.length];

/** A thenable around a result. */
const THENABLES = [
  (give) => ({ then: (resolve) => [resolve(give()), resolve(-1)] }),
  (give) => ({ then: (resolve, reject) => [resolve(give()), reject(new Error('too late'))] }),
  (give) => ({
    then(resolve) {
      resolve(give());
      throw new Error('after all');
    },
  }),
  (give) => ({
    then: (resolve) =>
      resolve({ then: (inner) => setTimeout(() => [inner(give()), inner(-1)], 1) }),
  }),
  (give) => ({
    then(resolve, reject) {
      setTimeout(() => {
        resolve(give());
        setTimeout(() => [resolve(-1), reject(new Error('too late'))], 1);
      }, 1);
    },
  }),
  (give) => Object.assign(Promise.resolve(give()), { then: bomb(0) }),
];
/** A thenable that is no result. */
const BROKEN = [
  (id) => ({ then: bomb(id) }),
  (id) => Object.defineProperty({}, 'then', { get: bomb(id) }),
  (id) => ({ then: (_resolve, reject) => [reject(new Error(`failure of ${id}`)), reject(1)] }),
  async (id) => {
    await null;
    throw new Error(`failure of ${id}`);
  },
];

/** Unless the job was given up in the meantime. */
function completeIfWanted(handle, value) {
  try {
    completeDeferred(handle, value);
  } catch (error) {
    if (error.code !== 'ERR_PADATA_DOUBLE_COMPLETE') throw error;
  }
}
const deferrals = [
  ({ id }, handle) => completeDeferred(handle, token(id)),
  ({ id, ms }, handle) => setTimeout(() => completeIfWanted(handle, token(id)), ms),
  ({ id }, handle, context) => {
    completeDeferred(handle, token(id));
    try {
      completeDeferred(handle, -1);
      note(context);
    } catch (error) {
      if (error.code !== 'ERR_PADATA_DOUBLE_COMPLETE') note(context);
    }
  },
  ({ id }, handle, context) => {
    try {
      completeDeferred(handle, { id, x: pick(UNCLONEABLE, 1)(id) });
      note(context);
    } catch (error) {
      if (error.code !== 'ERR_PADATA_CLONE') note(context);
    }
    completeDeferred(handle, token(id));
  },
  ({ id }, handle) => {
    completeDeferred(handle, token(id));
    throw new Error('after its completion');
  },
  async ({ id }, handle) => {
    await null;
    completeDeferred(handle, token(id));
    throw new Error('after its completion');
  },
];

/** What ends the thread it runs on, or keeps it. */
const DEADLY = {
  exit: ({ variant }, context) => leave(context, variant % 3),
  exitLater({ ms, variant }, context) {
    setTimeout(() => leave(context, variant % 3), ms);
    return never();
  },
  uncaught({ ms, id }) {
    setTimeout(bomb(id), ms);
    return never();
  },
  unhandled(order, context) {
    void Promise.reject(new Error(`nobody waits for ${order.id}`));
    return give(order, context);
  },
  oom() {
    const hog = [];
    for (;;) hog.push(new Array(10_000).fill(hog.length));
  },
  loop() {
    for (;;);
  },
  /** Gives up when it is asked to; what it gives then is nobody's result. */
  polite(_order, context) {
    while (!context.aborted);
    return -1;
  },
};

const KINDS = {
  ok: give,
  cpu(order, context) {
    spin(order.ms);
    return give(order, context);
  },
  async waits(order, context) {
    await sleep(order.ms);
    return give(order, context);
  },
  /** Has its result, perhaps in the slot's own bytes, long before its promise ends. */
  async early(order, context) {
    const result = give(order, context);
    await sleep(order.ms);
    return result;
  },
  async parts(order, context) {
    spin(order.ms / 2);
    await sleep(1);
    spin(order.ms / 2);
    return give(order, context);
  },
  thenable: (order, context) => pick(THENABLES, order.variant)(() => give(order, context)),
  broken: ({ id, variant }) => pick(BROKEN, variant)(id),
  uncloneable: ({ id, variant }) => pick(UNCLONEABLE, variant)(id),
  async uncloneableLater({ id, variant }) {
    await null;
    return { inside: pick(UNCLONEABLE, variant)(id) };
  },
  throws({ id, variant }) {
    throw pick(THROWN, variant)(id);
  },
  async rejects({ id, variant }) {
    await null;
    throw pick(THROWN, variant)(id);
  },
  never,
  /** Writes into its bytes as long as its thread lives. */
  scribbles(order, context) {
    const view = context.output(64);
    const timer = setInterval(() => view.fill(0xee), 1);
    if (context.worker === 0) clearInterval(timer);
    return never();
  },
  async politeAsync(_order, context) {
    while (!context.aborted) await sleep(1);
    return -1;
  },
  defers: (order, context) => pick(deferrals, order.variant)(order, context.defer(), context),
  defersNever(_order, context) {
    context.defer();
  },
  prints(order, context) {
    const count = 1 + (order.variant % 200);
    for (let i = 0; i < count; i += 1) console.log(`LINE ${order.id} ${i} ${count}`);
    return give(order, context);
  },
  async printsLater(order, context) {
    const count = 2 + (order.variant % 20);
    for (let i = 0; i < count; i += 1) {
      console.log(`LINE ${order.id} ${i} ${count}`);
      if (i % 5 === 0) await sleep(1);
    }
    return give(order, context);
  },
  async nested(order, context) {
    const pool = createWorkPool({ threads: order.variant % 2 });
    try {
      const series = pool.series({ fn: { module: new URL(import.meta.url), name: 'plain' } });
      const sums = await Promise.all([1, 2, 3].map((n) => series.run(n)));
      if (sums.join() !== '2,4,6') note(context);
    } finally {
      await pool.close();
    }
    return give(order, context);
  },
  /** Meant for modules that do not load: see `dies-at-load.mjs`. */
  loads: give,
};

/** Does what the order says. */
export function act(input, context) {
  look(context.shared, context.local, context.worker);
  const order = unwrap(input);
  const deadly = DEADLY[order.kind];
  if (deadly === undefined) return KINDS[order.kind](order, context);
  if (context.worker === 0) throw new Error('spared: it would end the program');
  return deadly(order, context);
}

export const plain = (n) => 2 * n;

/** Chunks: marks its units; the one that holds unit `at` does worse. */
export function chunk(start, end, { marks, kind, at, board }, local) {
  look(board, local, currentWorker());
  if (start <= at && at < end) {
    if (kind === 'throws') throw new Error('failure of a chunk');
    if (kind === 'exit') {
      if (currentWorker() === 0) throw new Error('spared: it would end the program');
      process.exit(5);
    }
    if (kind === 'uncloneable') return { f: () => 1 };
    if (kind === 'broken') return BROKEN[0](0);
  }
  const mark = () => {
    for (let i = start; i < end; i += 1) Atomics.add(marks, i, 1);
    return end - start;
  };
  return kind === 'waits' ? sleep(1).then(mark) : mark();
}
export function undo(start, end, { marks }) {
  for (let i = start; i < end; i += 1) Atomics.sub(marks, i, 1);
}
