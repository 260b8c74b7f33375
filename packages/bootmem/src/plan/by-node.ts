/** Things that belong to nodes, node by node. */

/**
 * The same things by their node's number, in their order. O(n).
 * @param things  each with the number of its node
 */
export function byNode<Thing extends { readonly nid: number }>(
  things: Iterable<Thing>,
): ReadonlyMap<number, Thing[]> {
  const groups = new Map<number, Thing[]>();
  for (const thing of things) {
    const own = groups.get(thing.nid);
    if (own === undefined) groups.set(thing.nid, [thing]);
    else own.push(thing);
  }
  return groups;
}
