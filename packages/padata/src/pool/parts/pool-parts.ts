/**
 * What leads a pool's threads, and what runs on them. It is nearly all of the package's code, and no thread needs it in order to
 * start: a pool starts its first thread, then makes this. What is published for Node is read as late as that (`late` in
 * package.json): the thread boots meanwhile.
 */
import type { Emitter } from '../../base/emitter.js';
import type { PadataError } from '../../base/errors.js';
import type { WorkList } from '../../crew/work-list.js';
import type { ThreadMaker } from '../../threads/thread-maker.js';
import { PoolJobs } from './pool-jobs.js';
import type { PoolPlan } from '../pool-options.js';
import { PoolThreads } from './pool-threads.js';
import type { WorkPoolEvents } from '../pool-types.js';

/** The pool that they belong to. */
interface PartsHost {
  readonly plan: PoolPlan;
  readonly maker: ThreadMaker;
  readonly works: WorkList;
  readonly events: Emitter<WorkPoolEvents>;
  /** @throws ERR_PADATA_CLOSED when nothing is to run any more */
  readonly checkOpen: () => void;
}

/** Those of one pool. */
export interface PoolParts {
  readonly threads: PoolThreads;
  readonly jobs: PoolJobs;
}

/**
 * All that is read late comes through this.
 * @throws ERR_PADATA_ARGUMENT where threads do not start with these options; what goes wrong, after those are ended that have begun
 */
export function poolParts({ plan, maker, works, events, checkOpen }: PartsHost): PoolParts {
  const threads = new PoolThreads(plan, maker, events);
  try {
    const { crew, elastic } = threads;
    const onError = (error: PadataError): void => {
      events.emit('error', { error });
    };
    const jobs = new PoolJobs({ plan, crew, elastic, works, onError, checkOpen });
    threads.serve(jobs);
    return { threads, jobs };
  } catch (error) {
    void threads.close();
    throw error;
  }
}
