/** Descriptions in JSON of which parts are wrong: values of another kind, numbers at limits, bad ranges by the hundred. */
import { synthesize, toJson } from '@bootmem/firmware-map';
import type { Random } from '../../../kit/random.mjs';

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 52,
  2 ** 53,
  -(2 ** 53),
  1e308,
  '',
  'x',
  '\u001b[2J\u202e',
  '__proto__',
  [],
  {},
  [[]],
  { start: 1 },
];

const SEEDS = [
  toJson(synthesize({ memory: '4G', nodes: 2, cpus: 4 })),
  toJson(synthesize({ memory: '1G', unaccepted: '512M', commandLine: 'mem=512M numa=fake=2' })),
];

type Place = readonly [holder: Record<string, unknown>, key: string];

/** One of the values, of its own: what is put into a description may be changed there. */
function odd(random: Random): unknown {
  return structuredClone(random.pick(VALUES));
}

/** Every place of a value that holds another. */
function places(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return found;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    found.push([holder, key]);
    places(holder[key], found);
  }
  return found;
}

function change([holder, key]: Place, random: Random): void {
  const value = holder[key];
  if (Array.isArray(value) && random.once(2)) {
    const one: unknown = structuredClone(value[0] ?? odd(random));
    const count = random.once(20) ? 3000 : random.below(20);
    holder[key] = [
      ...(value as unknown[]),
      ...Array.from({ length: count }, () => (random.once(2) ? one : odd(random))),
    ];
  } else if (random.once(5)) Reflect.deleteProperty(holder, key);
  else if (random.once(8)) holder[`${key}\u001b`] = value;
  else holder[key] = odd(random);
}

/**
 * A description, or what is left of one.
 * @param random  what decides
 */
export function hostileJson(random: Random): string {
  const value: unknown = JSON.parse(random.pick(SEEDS));
  for (let times = 1 + random.below(5); times > 0; times--) {
    const all = places(value);
    if (all.length > 0) change(random.pick(all), random);
  }
  const text = JSON.stringify(value, undefined, random.pick([0, 1, 2]));
  if (random.once(10)) return text.slice(0, random.below(text.length));
  if (random.once(10)) return '['.repeat(random.below(20_000)) + text;
  return text;
}
