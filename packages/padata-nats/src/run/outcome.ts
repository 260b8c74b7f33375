/** What became of a job. */
import { ItemKind, decodeError, decodeValue } from '../wire/values.js';
import type { Item } from '../wire/values.js';

export type Outcome =
  | { readonly state: 'done'; readonly value: unknown }
  | { readonly state: 'failed'; readonly error: unknown }
  /** Not begun: its run was aborted. */
  | { readonly state: 'skipped' };

/** What an answer says, large values fetched. Never throws. */
export function outcomeOf(item: Item): Outcome {
  switch (item.kind) {
    case ItemKind.ERROR:
      return { state: 'failed', error: decodeError(item) };
    case ItemKind.SKIPPED:
      return { state: 'skipped' };
    case ItemKind.BYTES:
      // The consumer's own: a message's memory belongs to the connection.
      return { state: 'done', value: new Uint8Array(item.bytes) };
    default:
      try {
        return { state: 'done', value: decodeValue(item) };
      } catch (error) {
        return { state: 'failed', error };
      }
  }
}
