/**
 * A copy of an object without some of its fields.
 * @param value  stays as it is
 * @param names  fields to leave out
 */
export function omit<Whole extends object, Name extends keyof Whole>(
  value: Whole,
  ...names: readonly Name[]
): Omit<Whole, Name> {
  const copy: Partial<Whole> = { ...value };
  for (const name of names) Reflect.deleteProperty(copy, name);
  return copy as Omit<Whole, Name>;
}
