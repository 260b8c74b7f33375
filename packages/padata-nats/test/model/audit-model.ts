/**
 * The audit of a silent run as a model (src/submit/run-audit.ts): jobs are stored, run, answered and acknowledged
 * while the server may lose everything at any moment, and the audit looks in several steps.
 *
 *   publisher  store j · hear that it is stored (or store it again)
 *   worker     take j · store its result · acknowledge
 *   reader     read a result · begin anew in a stream that was made again
 *   server     lose all that is in its streams · keep a message that was acknowledged, as one does whose disk was full
 *   audit      note what is open · count jobs · compare results with what was read · judge
 *
 * Asked of every state: nothing is called lost that the server has; a job has one outcome; and an end at which every
 * job has its outcome can still be reached.
 */

/** How large. */
export interface AuditCase {
  readonly jobs: number;
  /** Times that the server loses everything. */
  readonly losses: number;
  /** Acknowledged messages that stay in the stream, and are given to nobody. */
  readonly kept?: number;
}

/** Rules that a broken variant leaves out. */
export interface AuditRules {
  /** Count jobs before results. */
  readonly jobsFirst: boolean;
  /** A stream made again is another stream. */
  readonly marks: boolean;
  /** Judge only what was confirmed to be stored. */
  readonly confirmedOnly: boolean;
  /** Judge only what is open still. */
  readonly stillOpen: boolean;
  /** Count only jobs that are not acknowledged. */
  readonly ackFloor: boolean;
  /** Look at all. */
  readonly audits: boolean;
}

/** The audit as it is. */
export const SOUND_AUDIT: AuditRules = {
  jobsFirst: true,
  marks: true,
  confirmedOnly: true,
  stillOpen: true,
  ackFloor: true,
  audits: true,
};

const Run = { IDLE: 0, TAKEN: 1, ANSWERED: 2 } as const;

interface Job {
  submitted: boolean;
  confirmed: boolean;
  /** Stream in which its publisher stored it, -1 before. */
  storedIn: number;
  inQueue: boolean;
  /** Acknowledged, and still in the stream. */
  kept: boolean;
  run: number;
  /** Stream from which it was taken. */
  takenFrom: number;
  /** Lost by the server since it was stored last. */
  lost: boolean;
  outcomes: number;
}

interface State {
  jobs: Job[];
  /** Which stream this is: one more after each loss. */
  stream: number;
  results: number[];
  reader: { stream: number; read: number };
  audit: { phase: number; open: number[] };
  losses: number;
  keeps: number;
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
      run: Run.IDLE,
      takenFrom: -1,
      lost: false,
      outcomes: 0,
    })),
    stream: 0,
    results: [],
    reader: { stream: 0, read: 0 },
    audit: { phase: 0, open: [] },
    losses: size.losses,
    keeps: size.kept ?? 0,
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
    found.push(next);
  };
  for (const [at, job] of state.jobs.entries()) jobSteps(state, at, job, step);
  if (state.reader.stream !== state.stream) {
    step((next) => {
      next.reader = { stream: next.stream, read: 0 };
    });
  } else if (state.reader.read < state.results.length) {
    step((next) => {
      const job = next.jobs[next.results[next.reader.read]!]!;
      next.reader.read += 1;
      // The reorder buffer drops what has its outcome.
      if (job.outcomes === 0) job.outcomes = 1;
    });
  }
  if (state.losses > 0) {
    step((next) => {
      next.losses -= 1;
      next.stream += 1;
      for (const job of next.jobs) {
        if (job.storedIn >= 0) job.lost = true;
        job.inQueue = false;
      }
      next.results = [];
    });
  }
  if (rules.audits) auditSteps(state, rules, step);
  return found;
}

type Step = (change: (next: State) => void) => void;

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
  if (job.run === Run.IDLE && job.inQueue) {
    step((next) => {
      next.jobs[at]!.run = Run.TAKEN;
      next.jobs[at]!.takenFrom = next.stream;
    });
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
      one.run = Run.IDLE;
      one.inQueue = false;
    });
    if (state.keeps > 0 && job.takenFrom === state.stream) {
      step((next) => {
        const one = next.jobs[at]!;
        next.keeps -= 1;
        one.run = Run.IDLE;
        one.inQueue = false;
        one.kept = true;
      });
    }
  }
}

function auditSteps(state: State, rules: AuditRules, step: Step): void {
  const { phase, open } = state.audit;
  if (phase === 0) {
    const noted = state.jobs.flatMap(({ submitted, confirmed, outcomes }, at) =>
      submitted && (confirmed || !rules.confirmedOnly) && outcomes === 0 ? [at] : [],
    );
    if (noted.length === 0) return;
    step((next) => {
      next.audit = { phase: 1, open: noted };
    });
    return;
  }
  if (phase < 3) {
    const countsJobs = rules.jobsFirst === (phase === 1);
    const isLeft = ({ inQueue, kept }: Job): boolean => inQueue || (kept && !rules.ackFloor);
    const passes = countsJobs ? !state.jobs.some(isLeft) : hasRead(state, rules);
    step((next) => {
      next.audit = passes ? { phase: phase + 1, open } : { phase: 0, open: [] };
    });
    return;
  }
  step((next) => {
    next.audit = { phase: 0, open: [] };
    for (const at of open) {
      const job = next.jobs[at]!;
      if (rules.stillOpen && job.outcomes > 0) continue;
      job.outcomes += 1;
      if (job.outcomes > 1) next.wrong = `job ${at} has two outcomes`;
      else if (!job.lost) next.wrong = `job ${at} is called lost and is not`;
    }
  });
}

function hasRead({ reader, stream, results }: State, { marks }: AuditRules): boolean {
  if (marks && reader.stream !== stream) return false;
  return reader.read >= results.length;
}
