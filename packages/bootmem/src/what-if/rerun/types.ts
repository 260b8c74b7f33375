/** What the parts of the rerun hand each other. Types only. */
import type { MemblockOperation } from '@bootmem/firmware-map/types';
import type { Memblock } from '@bootmem/memblock';
import type { ByteSpan } from '../../explain-result.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import type { Request } from '../../plan/search.js';
import type { ImageMove } from '../image.js';
import type { Wish, Wishes } from '../requests/wishes.js';

/** Both machines. */
export interface RerunInput {
  readonly today: LayoutPlan;
  readonly other: LayoutPlan;
  /** What the other boot's options ask for. */
  readonly wishes: Wishes;
  /** What of the machine differs. */
  readonly differs: { readonly map: boolean; readonly nodes: boolean };
  /** The other boot's kernel lies elsewhere. */
  readonly move?: ImageMove;
}

/** An operation on a range. */
export type Ranged = Extract<MemblockOperation, { readonly start: number }>;

/** What a generated part of the sequence works on. */
export interface Generating {
  readonly plan: LayoutPlan;
  readonly memblock: Memblock;
  readonly nodeData: ReadonlyMap<number, ByteSpan>;
  readonly take: (request: Request) => boolean;
  /** Gives back what was taken a moment ago. */
  readonly giveBack: (range: ByteSpan, request: Request) => void;
}

/** One thing that the kernel does. */
export type Step =
  | { readonly kind: 'fixed'; readonly operation: MemblockOperation }
  | { readonly kind: 'free'; readonly operation: Ranged }
  | { readonly kind: 'request'; readonly request: Request; readonly was?: ByteSpan }
  | {
      readonly kind: 'group';
      readonly requests: readonly { readonly request: Request; readonly was?: ByteSpan }[];
    }
  | { readonly kind: 'generate'; readonly run: (by: Generating) => void }
  | { readonly kind: 'ramdisk'; readonly request: Request }
  | { readonly kind: 'nodes' }
  | { readonly kind: 'node-data'; readonly size: number; readonly line: number }
  | { readonly kind: 'wishes'; readonly wishes: readonly Wish[]; readonly line: number }
  | { readonly kind: 'doubt'; readonly why: string };
