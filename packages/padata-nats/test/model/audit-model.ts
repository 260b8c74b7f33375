/**
 * The audit of a silent run as a model (src/watch/run-audit.ts): jobs are stored, run, answered and acknowledged
 * while the server may lose everything at any moment, and the audit looks in several steps.
 *
 *   publisher  store j · hear that it is stored (or store it again)
 *   worker     take j · store its result · acknowledge · give j up, where its run is not described
 *   reader     read a result · ask for a new consumer, where its own is gone
 *   server     lose all that is in its streams · keep a message that was acknowledged, as one does whose disk was full
 *              forget the last result, the last job, the description, the workers' consumer · keep a job and give it to nobody
 *   operator   take the run off the server
 *   audit      note what is open, describe · count jobs, take away what is held back · compare results with what was read · judge
 *
 * Asked of every state: nothing is called lost that the server has, nothing ended that nobody has taken away; a job has one outcome;
 * and an end at which every job has its outcome can still be reached.
 */

/** How large. */
export interface AuditCase {
  readonly jobs: number;
  /** Times that the server loses everything. */
  readonly losses: number;
  /** Acknowledged messages that stay in the stream, and are given to nobody. */
  readonly kept?: number;
  /** Times that the server forgets a thing: the last result, the last job, the description, or the workers' consumer. */
  readonly forgets?: number;
  /** Jobs that the server keeps and gives to nobody. */
  readonly held?: number;
  /** Times that an operator takes the run off the server. */
  readonly purges?: number;
}

/** Rules that a broken variant leaves out. */
export interface AuditRules {
  /** Count jobs before results. */
  readonly jobsFirst: boolean;
  /** Judge only what was confirmed to be stored. */
  readonly confirmedOnly: boolean;
  /** Judge only what is open still. */
  readonly stillOpen: boolean;
  /** Count only jobs that are not acknowledged. */
  readonly ackFloor: boolean;
  /** A message proves what was read, not its number, which a stream made again has too. */
  readonly lastRead: boolean;
  /** Take away what is held back. */
  readonly takesAway: boolean;
  /** Held back is only what no worker has. */
  readonly asksWorkers: boolean;
  /** Whoever takes a run away says so; a description that is gone says nothing. */
  readonly endMark: boolean;
  /** Look at all. */
  readonly audits: boolean;
}

/** The audit as it is. */
export const SOUND_AUDIT: AuditRules = {
  jobsFirst: true,
  confirmedOnly: true,
  stillOpen: true,
  ackFloor: true,
  lastRead: true,
  takesAway: true,
  asksWorkers: true,
  endMark: true,
  audits: true,
};

const NONE = -1;
const GONE = -2;
const Run = { IDLE: 0, TAKEN: 1, ANSWERED: 2 } as const;

interface Job {
  submitted: boolean;
  confirmed: boolean;
  /** Stream in which its publisher stored it, -1 before. */
  storedIn: number;
  inQueue: boolean;
  /** Acknowledged, and still in the stream. */
  kept: boolean;
  /** In the stream, and given to nobody. */
  held: boolean;
  run: number;
  /** Stream from which it was taken. */
  takenFrom: number;
  /** Lost by the server since it was stored last. */
  lost: boolean;
  outcomes: number;
}

const Description = { THERE: 0, FORGOTTEN: 1, ENDED: 2 } as const;

interface State {
  jobs: Job[];
  /** Which stream this is: one more after each loss. */
  stream: number;
  /** Jobs by number of their result. */
  results: number[];
  /** `last`: number of the message that was read last, `NONE` before, `GONE` where this one is not in the stream. `isThere`: the server knows its consumer. */
  reader: { stream: number; read: number; last: number; isThere: boolean };
  audit: { phase: number; open: number[]; ended: boolean };
  description: number;
  isTakenAway: boolean;
  losses: number;
  keeps: number;
  forgets: number;
  holds: number;
  purges: number;
  wrong: string;
}

/** What exploring found. */
export interface AuditOutcome {
  readonly states: number;
  readonly violation: string | undefined;
}

/** Explores all orders of steps. */
export function exploreAudit(size: AuditCase, rules: AuditRules): AuditOutcome {
  const first: State = {
    jobs: Array.from({ length: size.jobs }, () => ({
      submitted: false,
      confirmed: false,
      storedIn: -1,
      inQueue: false,
      kept: false,
      held: false,
      run: Run.IDLE,
      takenFrom: -1,
      lost: false,
      outcomes: 0,
    })),
    stream: 0,
    results: [],
    reader: { stream: 0, read: 0, last: NONE, isThere: true },
    audit: { phase: 0, open: [], ended: false },
    description: Description.THERE,
    isTakenAway: false,
    losses: size.losses,
    keeps: size.kept ?? 0,
    forgets: size.forgets ?? 0,
    holds: size.held ?? 0,
    purges: size.purges ?? 0,
    wrong: '',
  };
  const firstKey = JSON.stringify(first);
  /** Who leads to a state. */
  const before = new Map<string, string[]>([[firstKey, []]]);
  const good: string[] = [];
  const stack = [firstKey];
  for (let key = stack.pop(); key !== undefined; key = stack.pop()) {
    const state = JSON.parse(key) as State;
    if (state.wrong !== '') return { states: before.size, violation: state.wrong };
    if (state.jobs.every(({ outcomes }) => outcomes > 0)) good.push(key);
    for (const next of steps(state, rules)) {
      const nextKey = JSON.stringify(next);
      const known = before.get(nextKey);
      if (known === undefined) {
        before.set(nextKey, [key]);
        stack.push(nextKey);
      } else known.push(key);
    }
  }
  const reaching = new Set(good);
  for (let key = good.pop(); key !== undefined; key = good.pop()) {
    for (const earlier of before.get(key)!) {
      if (reaching.has(earlier)) continue;
      reaching.add(earlier);
      good.push(earlier);
    }
  }
  const isStuck = reaching.size < before.size;
  return {
    states: before.size,
    violation: isStuck ? 'a job waits for ever' : undefined,
  };
}

function steps(state: State, rules: AuditRules): State[] {
  const found: State[] = [];
  const step = (change: (next: State) => void): void => {
    const next = JSON.parse(JSON.stringify(state)) as State;
    change(next);
    forgetLast(next);
    found.push(next);
  };
  for (const [at, job] of state.jobs.entries()) jobSteps(state, at, job, step);
  readerSteps(state, rules, step);
  if (state.losses > 0) step(loseAll);
  if (state.forgets > 0) forgetSteps(state, step);
  if (state.purges > 0) {
    step((next) => {
      next.purges -= 1;
      next.description = Description.ENDED;
      next.isTakenAway = true;
      for (const job of next.jobs) takeAway(job);
      next.results = [];
    });
  }
  if (rules.audits) auditSteps(state, rules, step);
  return found;
}

/** What takes a number later is another message. */
function forgetLast({ results, reader }: State): void {
  if (reader.last >= results.length) reader.last = GONE;
}

type Step = (change: (next: State) => void) => void;

function loseAll(next: State): void {
  next.losses -= 1;
  next.stream += 1;
  for (const job of next.jobs) takeAway(job);
  next.results = [];
  next.description = Description.FORGOTTEN;
}

function takeAway(job: Job): void {
  if (job.storedIn >= 0) job.lost = true;
  job.inQueue = false;
  job.held = false;
}

/** What a server forgets that starts anew: consumers in memory go with it. */
function forgetSteps(state: State, step: Step): void {
  const forget = (change: (next: State) => void): void => {
    step((next) => {
      next.forgets -= 1;
      next.reader.isThere = false;
      change(next);
    });
  };
  if (state.results.length > 0) {
    forget((next) => {
      const at = next.results.pop()!;
      const job = next.jobs[at]!;
      if (!job.inQueue) job.lost = true;
    });
  }
  const last = state.jobs.findLastIndex(({ inQueue }) => inQueue);
  if (last >= 0) {
    forget((next) => {
      takeAway(next.jobs[last]!);
    });
  }
  forget((next) => {
    next.description = Description.FORGOTTEN;
  });
  // Another consumer gives all that is there once more.
  forget((next) => {
    for (const job of next.jobs) {
      job.held = false;
      if (job.kept) job.inQueue = true;
      job.kept = false;
    }
  });
}

function readerSteps(
  { reader, stream, results }: State,
  { lastRead }: AuditRules,
  step: Step,
): void {
  if (reader.stream !== stream || !reader.isThere) {
    step((next) => {
      const isProved = reader.read === 0 || (lastRead ? reader.last !== GONE : true);
      const goesOn = reader.stream === stream && isProved;
      // A server gives a number that it does not have yet as its next one.
      const read = goesOn ? Math.min(reader.read, results.length) : 0;
      next.reader = { stream, read, last: goesOn ? reader.last : NONE, isThere: true };
    });
  } else if (reader.read < results.length) {
    step((next) => {
      const job = next.jobs[next.results[next.reader.read]!]!;
      next.reader.last = next.reader.read;
      next.reader.read += 1;
      // The reorder buffer drops what has its outcome.
      if (job.outcomes === 0) job.outcomes = 1;
    });
  }
}

function jobSteps(state: State, at: number, job: Job, step: Step): void {
  const store = (next: State): void => {
    const one = next.jobs[at]!;
    one.storedIn = next.stream;
    one.inQueue = true;
    one.lost = false;
  };
  if (!job.submitted) {
    if (at > 0 && !state.jobs[at - 1]!.submitted) return;
    step((next) => {
      next.jobs[at]!.submitted = true;
    });
  } else if (job.storedIn < 0) {
    step(store);
  } else if (!job.confirmed) {
    step((next) => {
      next.jobs[at]!.confirmed = true;
    });
    // The answer was lost with the server: the publisher publishes again.
    if (job.storedIn !== state.stream) step(store);
  }
  if (job.run === Run.IDLE && job.inQueue && !job.held) {
    step((next) => {
      const one = next.jobs[at]!;
      if (next.description !== Description.THERE) {
        takeAway(one);
        return;
      }
      one.run = Run.TAKEN;
      one.takenFrom = next.stream;
    });
    if (state.holds > 0) {
      step((next) => {
        next.holds -= 1;
        next.jobs[at]!.held = true;
      });
    }
  } else if (job.run === Run.TAKEN) {
    step((next) => {
      next.jobs[at]!.run = Run.ANSWERED;
      next.results.push(at);
    });
  } else if (job.run === Run.ANSWERED) {
    step((next) => {
      const one = next.jobs[at]!;
      // An acknowledgement names a number, and numbers begin again in a new stream: it may take another message.
      if (one.takenFrom !== next.stream && one.inQueue) one.lost = true;
      if (!isAnswered(next, at)) one.lost = true;
      one.run = Run.IDLE;
      one.inQueue = false;
      one.held = false;
    });
    if (state.keeps > 0 && job.takenFrom === state.stream) {
      step((next) => {
        const one = next.jobs[at]!;
        next.keeps -= 1;
        if (!isAnswered(next, at)) one.lost = true;
        one.run = Run.IDLE;
        one.inQueue = false;
        one.kept = true;
      });
    }
  }
}

function isAnswered({ results }: State, at: number): boolean {
  return results.includes(at);
}

function auditSteps(state: State, rules: AuditRules, step: Step): void {
  const { phase, open, ended } = state.audit;
  const begin = { phase: 0, open: [], ended: false };
  if (phase === 0) {
    const noted = state.jobs.flatMap(({ submitted, confirmed, outcomes }, at) =>
      submitted && (confirmed || !rules.confirmedOnly) && outcomes === 0 ? [at] : [],
    );
    if (noted.length === 0) return;
    step((next) => {
      const { description } = next;
      const isEnded = rules.endMark
        ? description === Description.ENDED
        : description !== Description.THERE;
      if (!isEnded) next.description = Description.THERE;
      next.audit = { phase: 1, open: noted, ended: isEnded };
    });
    return;
  }
  if (phase < 3) {
    const countsJobs = rules.jobsFirst === (phase === 1);
    const isLeft = ({ inQueue, kept }: Job): boolean => inQueue || (kept && !rules.ackFloor);
    const passes = countsJobs ? !state.jobs.some(isLeft) : hasRead(state, rules);
    step((next) => {
      // What was not read is asked for by a new consumer.
      if (!countsJobs && !passes) next.reader.isThere = false;
      next.audit = passes ? { phase: phase + 1, open, ended } : begin;
    });
    // Free workers ask all the time, and nothing is given to them.
    const isHeldBack = ({ inQueue, held, run }: Job): boolean =>
      !inQueue || (held && run === Run.IDLE) || (!rules.asksWorkers && run !== Run.IDLE);
    if (countsJobs && !passes && rules.takesAway && state.jobs.every(isHeldBack)) {
      step((next) => {
        for (const job of next.jobs) {
          if (job.run === Run.IDLE && job.inQueue) takeAway(job);
          job.inQueue = false;
        }
        next.audit = { phase: phase + 1, open, ended };
      });
    }
    return;
  }
  step((next) => {
    next.audit = begin;
    if (ended && !next.isTakenAway) {
      next.wrong = 'the run is called ended and is not';
    }
    for (const at of open) {
      const job = next.jobs[at]!;
      if (rules.stillOpen && job.outcomes > 0) continue;
      job.outcomes += 1;
      if (job.outcomes > 1) next.wrong = `job ${at} has two outcomes`;
      else if (!job.lost) next.wrong = `job ${at} is called lost and is not`;
    }
  });
}

function hasRead({ reader, results }: State, { lastRead }: AuditRules): boolean {
  if (!lastRead) return reader.read >= results.length;
  return results.length === 0 || reader.last === results.length - 1;
}
