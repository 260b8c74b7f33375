/**
 * Objects to begin with: one that has the names already, to be copied and filled. What is assigned then is a property that is there, whatever
 * `Object.prototype` has got by that name since, and no name is looked for there.
 *
 * A copy is quick where V8 has seen few shapes at its place in the code, so there are several such places, and each copies a few shapes
 * only. So many shapes have one, those that are read often; the others do without.
 */

/** Copies an object of few shapes. */
type Copy = (template: Record<string, unknown>) => Record<string, unknown>;

const COPIES: readonly Copy[] = [
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
  (template) => ({ ...template }),
];
/** Shapes that V8 tells apart at one place. */
const SHAPES = 4;
/** Of more names V8 makes a table, which it copies name by name. */
const MOST_NAMES = 64;

/** An object with the names of one shape, to be copied. */
export interface Template {
  readonly object: Record<string, unknown>;
  readonly copy: Copy;
}

let made = 0;

/** One with these names; undefined = there are as many as there may be, or too many names. */
export function templateOf(names: readonly string[]): Template | undefined {
  if (names.length > MOST_NAMES || made === COPIES.length * SHAPES) return undefined;
  const copy = COPIES[made % COPIES.length]!;
  made += 1;
  // As the engine makes objects of text: made name by name, from a dozen on they were tables.
  const text = names.map((name) => `${JSON.stringify(name)}:null`).join();
  return { object: JSON.parse(`{${text}}`) as Record<string, unknown>, copy };
}
