/** Properties as structured clone makes them. */

/**
 * Makes it a property of its own, whatever `Object.prototype` has by that name: an assignment would call a setter, or do nothing.
 * @throws TypeError where the object takes none
 */
export function defineOwn(to: object, key: string, value: unknown): void {
  Object.defineProperty(to, key, {
    // A `get` that all objects have is no getter of this one.
    __proto__: null,
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  } as PropertyDescriptor);
}
