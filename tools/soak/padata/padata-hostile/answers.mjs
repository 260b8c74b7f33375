// What goes into a job and what comes back, in every form that a value may travel: so that both sides agree on what
// job N's own result is. Plain JavaScript, because the threads use it too.
import { transfer } from '@bootmem/padata/worker';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The number that is job `id`'s own. */
export const token = (id) => (Math.imul(id, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
const text = (id) => `${id}:${token(id)}:\u20ac`;
const bytesOf = (id) => encoder.encode(text(id));
const isText = (bytes, id) => decoder.decode(bytes) === text(id);
const LARGE = 200_000;

/** Forms of a result: how it is made, and whether a value is that of this job. */
const RESULTS = {
  number: [token, (value, id) => value === token(id)],
  text: [text, (value, id) => value === text(id)],
  plain: [
    (id) => ({ id, token: token(id), list: [text(id), null, -0] }),
    (value, id) =>
      value.token === token(id) && value.list[0] === text(id) && Object.is(value.list[2], -0),
  ],
  bytes: [bytesOf, isText],
  output: [
    (id, context) => {
      const room = context.output(64);
      return room.subarray(0, encoder.encodeInto(text(id), room).written);
    },
    isText,
  ],
  buffer: [(id) => Buffer.from(text(id)), isText],
  map: [
    (id) => new Map([[id, token(id)]]),
    (value, id) => value instanceof Map && value.get(id) === token(id),
  ],
  bigint: [(id) => BigInt(token(id)), (value, id) => value === BigInt(token(id))],
  large: [
    (id) => ({ token: token(id), pad: new Uint8Array(LARGE).fill(id) }),
    (value, id) =>
      value.token === token(id) &&
      value.pad.length === LARGE &&
      value.pad[LARGE - 1] === (id & 255),
  ],
  moved: [
    (id) => {
      const bytes = bytesOf(id);
      return transfer(bytes, [bytes.buffer]);
    },
    isText,
  ],
};
/** Names of the forms of results. */
export const resultForms = Object.keys(RESULTS);
/** Those that fit any slot, so that a deferred job may be completed with them. */
export const smallForms = ['number', 'text'];

/** The result of this order's job. */
export const give = ({ id, out }, context) => RESULTS[out][0](id, context);

/** Is the value this order's own result? */
export function isOwn({ id, out }, value) {
  try {
    return RESULTS[out][1](value, id);
  } catch {
    return false;
  }
}

/** Forms of an input: the value that says `order`, and what is handed over with it. */
const INPUTS = {
  plain: (order) => [order],
  text: (order) => [JSON.stringify(order)],
  bytes: (order) => [encoder.encode(JSON.stringify(order))],
  buffer: (order) => [Buffer.from(JSON.stringify(order))],
  map: (order) => [new Map([['order', order]])],
  dated: (order) => [{ order, at: new Date(order.id) }],
  large: (order) => [{ order, pad: new Uint8Array(LARGE).fill(order.id) }],
  moved: (order) => {
    const { buffer } = encoder.encode(JSON.stringify(order)).slice();
    return [buffer, [buffer]];
  },
};
/** Names of the forms of inputs. */
export const inputForms = Object.keys(INPUTS);

function bites() {
  throw new Error('it cannot be read');
}
/** Inputs that no message can carry, and what is handed over with them. */
const UNSENDABLE = {
  function: (order) => [() => order],
  symbol: () => [Symbol('no input')],
  getter: (order) => [Object.defineProperty({ order }, 'x', { get: bites, enumerable: true })],
  proxy: () => [new Proxy({}, { ownKeys: bites, get: bites })],
  inMap: (order) => [new Map([['order', () => order]])],
  gone: (order) => {
    const [buffer, list] = INPUTS.moved(order);
    structuredClone(buffer, { transfer: list });
    return [buffer, list];
  },
};
/** Names of their forms. */
export const unsendableForms = Object.keys(UNSENDABLE);

/** An order on its way in. */
export function wrap(form, order) {
  const [input, list] = (INPUTS[form] ?? UNSENDABLE[form])(order);
  return { input, transfer: list };
}

/** The order again. */
export function unwrap(input) {
  if (typeof input === 'string') return JSON.parse(input);
  if (input instanceof ArrayBuffer || ArrayBuffer.isView(input))
    return JSON.parse(decoder.decode(input));
  if (input instanceof Map) return input.get('order');
  return input.order ?? input;
}
