/** A figure of one boot, by which two boots are compared. */
import type { ByteSpan } from '../../explain-result.js';
import { formatMemRange } from '../../format/numbers.js';
import type { WhatIfGroup, WhatIfUnit } from '../../what-if-result.js';

/** What a figure rests on: the layout alone, or the state at hand-over too. */
type Basis = 'layout' | 'state' | 'model';

/** A figure of one boot. */
export interface Figure {
  readonly id: string;
  readonly group: WhatIfGroup;
  readonly label: string;
  readonly unit: WhatIfUnit;
  readonly value?: number | string;
  readonly basis: Basis;
  /** Why there is no value. */
  readonly unknown?: string;
  /** What else there is to say. */
  readonly remark?: string;
  readonly ranges?: readonly ByteSpan[];
}

/** Addresses as a log prints them. */
export function rangeText(start: number, end: number): string {
  return formatMemRange(start, end).slice(5, -1);
}
