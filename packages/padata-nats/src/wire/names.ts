/**
 * Names on the server, all below one prefix, so that permissions can be given by subject.
 *
 *     P.job.MODULE.RUN   jobs of a run, for the workers that offer MODULE     stream P_JOBS     each to one worker
 *     P.res.RUN          results of a run, for its submitter                  stream P_RESULTS  kept until delivered
 *     P.run.RUN          what a run is: function, shared value                stream P_RUNS     last message counts
 *     P.pos.RUN          how far a run is delivered                           stream P_RUNS
 *     P.try.RUN.SEQ      that a batch was begun, or how often a job was tried   stream P_RUNS
 *     P.dead.RUN         messages that nobody could use, with the reason      stream P_DEAD     made when it is needed
 *     P.ctl.RUN          abort and end, to all workers                        not stored
 *     P.here, P.who      workers that are there; the question who is          not stored
 *
 * MODULE is a hash: module names may hold anything, subjects may not. Workers ask for the modules they offer and
 * for no others, so a job never reaches a host where its code is not installed.
 */
import { createHash } from 'node:crypto';
import { PadataNatsError } from './errors.js';

/** Default prefix. */
export const DEFAULT_PREFIX = 'padata';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether a text can be a prefix or a run's id. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

function checked(what: string, name: string): string {
  if (isName(name)) return name;
  throw new PadataNatsError(
    'ERR_PADATA_NATS_ARGUMENT',
    `${what} is 1 to 64 letters, digits, _ or -, got '${name}'`,
    { [what]: name },
  );
}

/** Token that stands for a module in subjects and consumer names. */
export function moduleToken(module: string): string {
  return createHash('sha256').update(module).digest('hex').slice(0, 16);
}

/** The names below one prefix. */
export class Names {
  readonly prefix: string;

  /** @throws ERR_PADATA_NATS_ARGUMENT */
  constructor(prefix: string = DEFAULT_PREFIX) {
    this.prefix = checked('prefix', prefix);
  }

  /** A run id that may stand in a subject. @throws ERR_PADATA_NATS_ARGUMENT */
  run(id: string): string {
    return checked('run', id);
  }

  get jobsStream(): string {
    return `${this.prefix}_JOBS`;
  }

  get resultsStream(): string {
    return `${this.prefix}_RESULTS`;
  }

  get runsStream(): string {
    return `${this.prefix}_RUNS`;
  }

  get deadStream(): string {
    return `${this.prefix}_DEAD`;
  }

  /** Bucket of the object store for values that do not fit a message. */
  get bucket(): string {
    return `${this.prefix}_VALUES`;
  }

  jobs(token: string, run: string): string {
    return `${this.prefix}.job.${token}.${run}`;
  }

  /** All jobs of one module; of everything without a token. */
  jobsOf(token?: string): string {
    return `${this.prefix}.job.${token === undefined ? '>' : `${token}.*`}`;
  }

  /** Durable consumer that the workers of one module share. */
  consumer(token: string): string {
    return `workers-${token}`;
  }

  /** Run id in a job's subject. */
  runOf(subject: string): string {
    return subject.slice(subject.lastIndexOf('.') + 1);
  }

  /**
   * Id of a message of jobs: the same whoever publishes it again.
   * @param run as `taggedRun` gives it
   */
  jobsId(run: string, epoch: number, first: number, count: number): string {
    return `${run}:${epoch}:j:${first}-${count}`;
  }

  /** Id of a message of results; `run` as for `jobsId`. */
  resultsId(run: string, epoch: number, first: number, count: number): string {
    return `${run}:${epoch}:r:${first}-${count}`;
  }

  results(run: string): string {
    return `${this.prefix}.res.${run}`;
  }

  info(run: string): string {
    return `${this.prefix}.run.${run}`;
  }

  position(run: string): string {
    return `${this.prefix}.pos.${run}`;
  }

  /** Tries of a job under suspicion; of all jobs of a run without a number. */
  tries(run: string, sequence: number | '*' = '*'): string {
    return `${this.prefix}.try.${run}.${sequence}`;
  }

  /** Messages of a run that nobody could use, `_` for those of none; of all runs without one. */
  dead(run = '*'): string {
    return `${this.prefix}.dead.${run}`;
  }

  control(run: string): string {
    return `${this.prefix}.ctl.${run}`;
  }

  get here(): string {
    return `${this.prefix}.here`;
  }

  get who(): string {
    return `${this.prefix}.who`;
  }
}
