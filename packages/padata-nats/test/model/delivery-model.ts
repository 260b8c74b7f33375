/**
 * The delivery protocol as a model: a submitter that may die and come back, a server that remembers message ids,
 * workers that may die, deliveries that come twice. Explored over all orders of its steps.
 *
 *   submitter  send j · read a result · deliver in order · die, resume
 *   server     give j to a worker · take it back when it hears nothing (its worker died, or is silent)
 *   worker     run · store the result · acknowledge · die at any of these
 *
 * What each step does is written as DESIGN.md has it; what may go wrong (a death, a silence) happens a limited
 * number of times, so there is an end to be reached.
 */

/** How large, and what may happen. */
export interface DeliveryCase {
  readonly jobs: number;
  readonly workers: number;
  readonly window: number;
  readonly workerDeaths: number;
  /** Deliveries that are taken back although their worker lives. */
  readonly silences: number;
  readonly submitterDeaths: number;
}

/** Rules that a broken variant leaves out. */
export interface DeliveryRules {
  /** Acknowledge only after the result is stored. */
  readonly ackAfterStore: boolean;
  /** Drop results that are delivered or buffered already. */
  readonly dropDuplicates: boolean;
  /** Hand out the next in order only. */
  readonly inOrder: boolean;
  /** Message ids tell how often the run was resumed. */
  readonly epochInIds: boolean;
}

/** The protocol as it is. */
export const SOUND: DeliveryRules = {
  ackAfterStore: true,
  dropDuplicates: true,
  inOrder: true,
  epochInIds: true,
};

const Doing = { IDLE: 0, HAS: 1, RAN: 2, STORED: 3, ACKED_EARLY: 4 } as const;

interface State {
  /** Next job to be sent, next to be delivered, stored position. */
  sent: number;
  next: number;
  position: number;
  epoch: number;
  buffered: number[];
  /** Job messages in the stream: job, worker that has it or -1, epoch of its sender. */
  queue: { job: number; at: number; epoch: number }[];
  /** Results in the stream, in order; `read` of them were read. */
  results: number[];
  read: number;
  workers: { doing: number; job: number; epoch: number }[];
  /** Ids that the server remembers. */
  ids: string[];
  /** Callbacks so far, those after a resume from an exact position go on. */
  log: number[];
  deaths: number;
  silences: number;
  submitterDeaths: number;
}

/** What exploring found. */
export interface DeliveryOutcome {
  readonly states: number;
  readonly ends: number;
  readonly violation: string | undefined;
}

/** Explores all orders of steps. */
export function exploreDelivery(size: DeliveryCase, rules: DeliveryRules): DeliveryOutcome {
  const first: State = {
    sent: 0,
    next: 0,
    position: 0,
    epoch: 0,
    buffered: [],
    queue: [],
    results: [],
    read: 0,
    workers: Array.from({ length: size.workers }, () => ({ doing: Doing.IDLE, job: -1, epoch: 0 })),
    ids: [],
    log: [],
    deaths: size.workerDeaths,
    silences: size.silences,
    submitterDeaths: size.submitterDeaths,
  };
  const seen = new Set<string>([JSON.stringify(first)]);
  const stack = [first];
  let ends = 0;
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    const nexts = steps(state, size, rules);
    const wrong = violationOf(state, size, nexts.length === 0);
    if (wrong !== undefined) return { states: seen.size, ends, violation: wrong };
    if (nexts.length === 0) ends += 1;
    for (const next of nexts) {
      const key = JSON.stringify(next);
      if (seen.has(key)) continue;
      seen.add(key);
      stack.push(next);
    }
  }
  return { states: seen.size, ends, violation: undefined };
}

function violationOf(state: State, size: DeliveryCase, isEnd: boolean): string | undefined {
  const { log } = state;
  if (log.some((job, i) => job !== i)) return `callbacks came as ${log.join(' ')}`;
  if (!isEnd) return undefined;
  if (log.length < size.jobs) return `it ends after ${log.length} of ${size.jobs} callbacks`;
  if (state.queue.length > 0) return `jobs stay on the server: ${JSON.stringify(state.queue)}`;
  return undefined;
}

function steps(state: State, size: DeliveryCase, rules: DeliveryRules): State[] {
  const found: State[] = [];
  const step = (change: (next: State) => void): void => {
    const next = JSON.parse(JSON.stringify(state)) as State;
    change(next);
    found.push(canonical(next));
  };
  submitterSteps(state, size, rules, step);
  serverSteps(state, step);
  for (const [at, worker] of state.workers.entries()) workerSteps(state, at, worker, rules, step);
  return found;
}

/** States that differ by who is who, or by an order that nobody sees, are one. */
function canonical(state: State): State {
  state.ids.sort();
  state.queue.sort((a, b) => a.job - b.job || a.epoch - b.epoch);
  const order = state.workers
    .map((worker, at) => ({ worker, at }))
    .sort(
      (a, b) =>
        a.worker.job - b.worker.job ||
        a.worker.epoch - b.worker.epoch ||
        a.worker.doing - b.worker.doing ||
        // Two that do the same, one of which the server believes in.
        holds(state, a.at) - holds(state, b.at),
    );
  const places = new Map(order.map(({ at }, place) => [at, place]));
  state.workers = order.map(({ worker }) => worker);
  for (const message of state.queue) message.at = places.get(message.at) ?? -1;
  return state;
}

function holds(state: State, worker: number): number {
  return state.queue.some(({ at }) => at === worker) ? 1 : 0;
}

type Step = (change: (next: State) => void) => void;

function idOf(kind: string, epoch: number, job: number, rules: DeliveryRules): string {
  return `${kind}${rules.epochInIds ? epoch : ''}:${job}`;
}

function submitterSteps(state: State, size: DeliveryCase, rules: DeliveryRules, step: Step): void {
  if (state.sent < size.jobs && state.sent < state.next + size.window) {
    step((next) => {
      const job = next.sent;
      next.sent += 1;
      // A resumed run may have the result already.
      if (job < next.next || next.buffered.includes(job)) return;
      const id = idOf('j', next.epoch, job, rules);
      if (next.ids.includes(id)) return;
      next.ids.push(id);
      next.queue.push({ job, at: -1, epoch: next.epoch });
    });
  }
  if (state.read < state.results.length) {
    step((next) => {
      const job = next.results[next.read]!;
      next.read += 1;
      const isOld = job < next.next || next.buffered.includes(job);
      if (isOld && rules.dropDuplicates) return;
      next.buffered.push(job);
      next.buffered.sort((a, b) => a - b);
    });
  }
  const [lowest] = state.buffered;
  const isNext = rules.inOrder ? lowest === state.next : lowest !== undefined;
  if (isNext && lowest !== undefined && lowest < state.sent) {
    step((next) => {
      next.buffered.shift();
      next.log.push(lowest);
      next.next = Math.max(next.next, lowest + 1);
    });
  }
  if (state.position < state.next) {
    step((next) => {
      next.position = next.next;
    });
  }
  // Trimming: read results, off the server below the stored position.
  const [oldest] = state.results;
  if (state.read > 0 && oldest !== undefined && oldest < state.position) {
    step((next) => {
      next.results.shift();
      next.read -= 1;
    });
  }
  if (state.submitterDeaths > 0 && state.sent > 0) {
    step((next) => {
      next.submitterDeaths -= 1;
      // Resumed at what its callbacks did: jobs nobody has begun are purged, results are read again.
      next.queue = next.queue.filter(({ at }) => at >= 0);
      next.sent = next.next;
      next.buffered = [];
      next.read = 0;
      next.epoch += 1;
    });
  }
}

function serverSteps(state: State, step: Step): void {
  for (const [i, message] of state.queue.entries()) {
    if (message.at < 0) {
      for (const [at, { doing }] of state.workers.entries()) {
        if (doing !== Doing.IDLE) continue;
        step((next) => {
          next.queue[i]!.at = at;
          next.workers[at] = { doing: Doing.HAS, job: message.job, epoch: message.epoch };
        });
      }
      continue;
    }
    const holder = state.workers[message.at]!;
    const isHeld = holder.job === message.job && holder.epoch === message.epoch;
    if (!isHeld) {
      step((next) => {
        next.queue[i]!.at = -1;
      });
    } else if (state.silences > 0) {
      step((next) => {
        next.silences -= 1;
        next.queue[i]!.at = -1;
      });
    }
  }
}

function workerSteps(
  state: State,
  at: number,
  { doing, job, epoch }: State['workers'][number],
  rules: DeliveryRules,
  step: Step,
): void {
  if (doing === Doing.IDLE) return;
  if (state.deaths > 0) {
    step((next) => {
      next.deaths -= 1;
      next.workers[at] = { doing: Doing.IDLE, job: -1, epoch: 0 };
    });
  }
  const to = (next: State, what: number): void => {
    next.workers[at]!.doing = what;
  };
  const acknowledge = (next: State): void => {
    next.queue = next.queue.filter((one) => one.job !== job || one.epoch !== epoch);
  };
  const storeResult = (next: State): void => {
    const id = idOf('r', epoch, job, rules);
    if (next.ids.includes(id)) return;
    next.ids.push(id);
    next.results.push(job);
  };
  const idle = { doing: Doing.IDLE, job: -1, epoch: 0 };
  if (doing === Doing.HAS) {
    step((next) => {
      if (!rules.ackAfterStore) acknowledge(next);
      to(next, rules.ackAfterStore ? Doing.RAN : Doing.ACKED_EARLY);
    });
  } else if (doing === Doing.RAN) {
    step((next) => {
      storeResult(next);
      to(next, Doing.STORED);
    });
    // The server has forgotten the id: the result is stored a second time.
    if (state.silences > 0 && state.results.includes(job)) {
      step((next) => {
        next.silences -= 1;
        next.results.push(job);
        to(next, Doing.STORED);
      });
    }
  } else if (doing === Doing.STORED) {
    step((next) => {
      acknowledge(next);
      next.workers[at] = idle;
    });
  } else {
    step((next) => {
      storeResult(next);
      next.workers[at] = idle;
    });
  }
}
