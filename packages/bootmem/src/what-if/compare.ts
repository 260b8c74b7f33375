/** Two boots' figures side by side. */
import type { WhatIfCertainty, WhatIfRow } from '../what-if-result.js';
import type { Figure } from './figures/figure.js';
import type { RandomOutcome } from './random-places.js';

/** What the second boot's figures can be trusted for. */
export interface Trust {
  /** Reasons why nothing follows: the layout itself is not known. */
  readonly layout: readonly string[];
  /** Reasons why the state at hand-over is an estimate. */
  readonly state: readonly string[];
  /** Where reservations may lie instead, by row. */
  readonly random?: ReadonlyMap<string, RandomOutcome>;
}

/**
 * One row a figure that either boot has.
 * @param before  today's
 * @param after   the other boot's
 * @param trust   what the other boot's rest on
 */
export function compareFigures(
  before: readonly Figure[],
  after: readonly Figure[],
  trust: Trust,
): WhatIfRow[] {
  const own = [before, after].map((list) => firstById(list));
  const ids = [...new Set([...before, ...after].map(({ id }) => id))];
  const groups = ['memory', 'nodes', 'zones', 'reserved', 'pages', 'time'] as const;
  const rows = ids.map((id) => rowOf(own[0]!.get(id), own[1]!.get(id), trust));
  return rows.sort((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group));
}

/** The first figure of each id. */
function firstById(figures: readonly Figure[]): ReadonlyMap<string, Figure> {
  const found = new Map<string, Figure>();
  for (const figure of figures) if (!found.has(figure.id)) found.set(figure.id, figure);
  return found;
}

function rowOf(before: Figure | undefined, after: Figure | undefined, trust: Trust): WhatIfRow {
  const { id, group, label, unit, basis } = (after ?? before)!;
  const reasons = [
    ...(basis === 'model' ? [] : trust.layout),
    ...(basis === 'state' ? trust.state : []),
  ];
  const unknown = after?.unknown ?? (basis === 'model' ? undefined : trust.layout[0]);
  const certainty: WhatIfCertainty =
    unknown !== undefined
      ? 'unknown'
      : reasons.length > 0 || basis === 'model'
        ? 'estimate'
        : 'follows';
  const said = unknown ?? reasons[0];
  const random = certainty === 'estimate' ? trust.random?.get(id) : undefined;
  const reason = [after?.remark, ...chances(random), said]
    .filter((text) => text !== undefined)
    .join('; ');
  const value = certainty === 'unknown' ? undefined : after?.value;
  return {
    id,
    group,
    label,
    unit,
    ...(before?.value === undefined ? {} : { before: before.value }),
    ...(value === undefined ? {} : { after: value }),
    changed: certainty === 'unknown' || before?.value !== value,
    certainty,
    ...(reason === '' ? {} : { reason }),
    ...(random === undefined || unit !== 'range' ? {} : { places: random.places }),
  };
}

/** What a random place of the image may spoil. */
function chances(random: RandomOutcome | undefined): string[] {
  if (random?.failsAt === undefined) return [];
  const { failsAt, least, most } = random;
  const at = `0x${failsAt.toString(16)}`;
  return [
    most <= 1
      ? `fails where the image cuts the room in two, as at ${at}`
      : `between ${least} and ${most} of them, by where the image lies; fewest as at ${at}`,
  ];
}
