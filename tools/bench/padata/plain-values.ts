/** Plain data that several cases submit. */

export const EIGHT_FIELDS = {
  id: 7,
  name: 'someone',
  tags: ['a', 'b', 'c'],
  numbers: [1, 2, 3, 4],
  nested: { x: 1, y: 2.5, z: 'q' },
  text: 'x'.repeat(100),
  isNew: true,
  parent: null,
};
export const THREE_NUMBERS = { a: 1, b: 2, c: 3 };
