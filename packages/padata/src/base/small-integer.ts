/**
 * Numbers that come out of shared floats, for programs that use them as indices.
 *
 * A float read from a Float64Array is a number object on V8's heap, even if it is 3. A function that indexes an array
 * with such a number teaches the engine that its keys are no integers, and from then on its loop runs several times
 * slower, in this thread and for good. What fits a small integer is made one here.
 */

/** The same number, as a small integer if it is one; -0 stays what it is. */
export function smallInteger(value: number): number {
  const integer = value | 0;
  return integer === value && (integer !== 0 || Object.is(value, 0)) ? integer : value;
}
