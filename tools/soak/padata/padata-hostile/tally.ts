/** What a run has played, by kind: so that one can see that the mixture holds every kind. */
import type { AbortPlan, JobPlan, Round, Step } from './plan.js';

/** Counts by kind. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** All that is planned for a round is played. */
  add(round: Round): void {
    this.#count(`rounds${round.heap === undefined ? '' : ' with resourceLimits'}`);
    if (round.end === 'close') this.#count('pools closed while jobs are out');
    if (round.threads === 0) this.#count('pools without threads');
    if (round.setUp !== 'nothing') this.#count(`pools that set up ${round.setUp}`);
    if (round.recycle !== undefined) this.#count('pools that replace threads');
    const capturing = round.series.filter(({ captures }) => captures).length;
    if (capturing > 0) this.#count('series that capture', capturing);
    for (const { deathsAtLoad } of round.series) {
      if (deathsAtLoad === undefined) continue;
      this.#count(deathsAtLoad < 0 ? 'modules that throw' : 'modules that end threads at load');
    }
    for (const step of round.steps) this.#step(step);
  }

  /** In words, the most frequent first. */
  inWords(): string {
    return [...this.#counts]
      .sort(([, a], [, b]) => b - a)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ');
  }

  #step(step: Step): void {
    switch (step.do) {
      case 'job':
        this.#job(step.job, step.abort);
        break;
      case 'resize':
        this.#count(step.threads === 0 ? 'resizes to none' : 'resizes');
        break;
      case 'range':
        this.#count(`ranges: ${step.kind}`);
        break;
      case 'stream':
        this.#count(`${step.web ? 'Web streams' : 'streams'}: ${step.breaks} breaks`);
        break;
      case 'abortSeries':
        this.#count('aborts of a series');
        break;
      case 'shell':
        this.#count('shells');
        if (step.masks.length > 0) this.#count('mask changes', step.masks.length);
        break;
      default:
        this.#count(
          {
            pause: 'pauses',
            busy: 'times that the owner is busy',
            workers: 'changes of workers',
            map: 'maps',
          }[step.do],
        );
    }
  }

  #job({ order, form }: JobPlan, abort: AbortPlan | undefined): void {
    this.#count(`jobs: ${order.kind}`);
    if (['map', 'dated', 'large'].includes(form)) this.#count('inputs by message');
    if (form === 'moved') this.#count('inputs handed over');
    if (['map', 'bigint', 'large', 'moved', 'buffer'].includes(order.out)) {
      this.#count('results by message');
    }
    if (abort !== undefined) this.#count(`aborts: reason ${abort.reason}`);
  }

  #count(kind: string, by = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + by);
  }
}
