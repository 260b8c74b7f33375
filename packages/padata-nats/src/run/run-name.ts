/**
 * A run's name on the server: whose it is. Whoever describes a run takes its name, and each description is stored only in place of the one
 * that was looked at, so of several submitters one has the name and the others know.
 *
 *     free (none, or ended) ─▶ take ─▶ ours ─▶ keep (stored again: old, lost, overwritten by a stranger) ─▶ free
 *     another's, dead ─▶ take up ─┘     └─▶ taken off, or taken up by another: no more ours
 */
import { randomBytes } from 'node:crypto';
import { LargeValues } from '../server/large-values.js';
import type { Publisher } from '../server/publisher.js';
import { fetchDescription, publishRunInfo, standingOf } from '../server/run-info.js';
import type { Description, RunInfo, Standing } from '../server/run-info.js';
import type { Engine } from '../server/streams.js';
import { PadataNatsError } from '../wire/errors.js';
import { newKey } from '../wire/seal.js';

const OWNER_BYTES = 12;

/** What is described, and whether others may know its name. */
interface NamedRun {
  readonly run: string;
  readonly info: Omit<RunInfo, 'epoch' | 'key'>;
  /** Chosen by the program; else it is random, and nobody else's. */
  readonly isChosen: boolean;
}

/** Whose a run is that was this submitter's. */
export type Kept = Exclude<Standing['is'], 'none' | 'odd'>;

/** One submitter's claim to one name. */
export class RunName {
  readonly #engine: Engine;
  readonly #publisher: Publisher;
  readonly #named: NamedRun;
  readonly #owner = randomBytes(OWNER_BYTES).toString('hex');
  #key = newKey();
  #epoch = 0;
  #isOurs = false;
  #isLost = false;
  #isFreed = false;
  /** Name of the description's value in the object store. */
  #value: string | undefined;

  constructor(engine: Engine, publisher: Publisher, named: NamedRun) {
    this.#engine = engine;
    this.#publisher = publisher;
    this.#named = named;
  }

  /** What the run's messages are sealed with. */
  get key(): Uint8Array {
    return this.#key;
  }

  /** Times that the run began anew, modulo 256. */
  get epoch(): number {
    return this.#epoch;
  }

  /** It was taken, and as far as is known neither freed nor lost since. */
  get isOurs(): boolean {
    return this.#isOurs;
  }

  /** Another submitter has it now. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Takes the name of a new run. @throws ERR_PADATA_NATS_RUN when it is taken, what the server says */
  async take(): Promise<void> {
    let found: Standing = this.#named.isChosen ? await this.#look() : { is: 'none', sequence: 0 };
    // Not stored, and ours: the answer was lost.
    while (found.is !== 'ours') {
      if (found.is === 'taken' || found.is === 'odd') {
        await this.#forgetValue();
        throw this.#error('exists already: resume it, or choose another id');
      }
      if ((await this.#describe(found.sequence)) !== undefined) break;
      found = await this.#look();
    }
    this.#isOurs = true;
  }

  /** The run that may be taken up. @throws ERR_PADATA_NATS_RUN when there is none, what the server says */
  async find(): Promise<Description> {
    const found = await fetchDescription(this.#engine, this.#named.run);
    if (found === undefined) throw this.#error('is not there');
    return found;
  }

  /** Takes up what `find` has found. @throws ERR_PADATA_NATS_RUN when another was quicker, what the server says */
  async takeUp({ info, sequence, value }: Description): Promise<void> {
    // Results that are there were sealed with it.
    this.#key = info.key;
    this.#epoch = (info.epoch + 1) % 256;
    const isStored = (await this.#describe(sequence)) !== undefined;
    if (!isStored && (await this.#look()).is !== 'ours') {
      await this.#forgetValue();
      throw this.#error('was ended, or resumed by somebody else, at the same time');
    }
    this.#isOurs = true;
    if (value !== undefined) await this.#forget(value);
  }

  /**
   * Stores the description again where it is gone, or a stranger's.
   * @param isOld also where it is there
   * @returns whose it is: 'ended' = it was taken off the server, 'taken' = it is another submitter's now
   * @throws what the server says
   */
  async keep(isOld: boolean): Promise<Kept> {
    for (let again = isOld; ; again = false) {
      const found = await this.#look(this.#key);
      if (found.is === 'taken') {
        this.#isLost = true;
        this.#isOurs = false;
        return 'taken';
      }
      if (this.#isFreed || found.is === 'ended') return 'ended';
      if (found.is === 'ours' && !again) return 'ours';
      const sequence = await this.#describe(found.sequence);
      if (sequence === undefined) continue;
      await this.#afterKeeping(sequence);
      return 'ours';
    }
  }

  /** Freed meanwhile: nothing else takes this description off the server. */
  async #afterKeeping(sequence: number): Promise<void> {
    if (!this.#isFreed) return;
    await this.#forgetValue();
    await this.#takeOff(sequence);
  }

  /** Begins a new epoch. @returns as `keep` */
  async renew(): Promise<Kept> {
    this.#epoch = (this.#epoch + 1) % 256;
    return await this.keep(true);
  }

  /**
   * Takes the run off the server, and its name last: whoever takes it then finds nothing of this run, and loses nothing.
   * @param clear takes off all else; not called where the name is another's
   * @throws what the server says
   */
  async free(clear: () => Promise<unknown>): Promise<void> {
    if (!this.#isOurs) return;
    this.#isOurs = false;
    if (!this.#named.isChosen) {
      this.#isFreed = true;
      await Promise.all([clear(), this.#forgetValue(), this.#takeOff()]);
      return;
    }
    const last = await this.#hold();
    this.#isFreed = true;
    if (last !== undefined) await clear();
    await this.#forgetValue();
    if (last !== undefined) await this.#takeOff(last);
  }

  /** Takes the name again where it is free. @returns number of the message that holds it; undefined = it is another's */
  async #hold(): Promise<number | undefined> {
    for (;;) {
      const { is, sequence } = await this.#look();
      if (is === 'taken') return undefined;
      if (is === 'ours' || is === 'odd') return sequence;
      const held = await this.#describe(sequence);
      if (held !== undefined) return held;
    }
  }

  /** @param key looks into the description too: whether it is the one of this key, and its value is there */
  #look(key?: Uint8Array): Promise<Standing> {
    return standingOf(this.#engine, this.#named.run, this.#owner, key);
  }

  /** @returns the message's number; undefined = `last` is not the last one any more, or it was stored and the answer was lost */
  async #describe(last: number): Promise<number | undefined> {
    const { run, info } = this.#named;
    const described = { ...info, key: this.#key, epoch: this.#epoch };
    const of = { info: described, owner: this.#owner, last };
    const { sequence, value } = await publishRunInfo(this.#engine, this.#publisher, run, of);
    this.#value = value;
    return sequence;
  }

  /** @param upTo what is stored later stays: it is another's */
  async #takeOff(upTo?: number): Promise<void> {
    const { jsm, names } = this.#engine;
    const filter = names.info(this.#named.run);
    const bound = upTo === undefined ? {} : { seq: upTo + 1 };
    await jsm.streams.purge(names.runsStream, { filter, ...bound });
  }

  async #forgetValue(): Promise<void> {
    if (this.#value !== undefined) await this.#forget(this.#value);
    this.#value = undefined;
  }

  /** What cannot be taken away expires. */
  async #forget(value: string): Promise<void> {
    await new LargeValues(this.#engine).forget(value).catch(() => undefined);
  }

  #error(what: string): PadataNatsError {
    const { run } = this.#named;
    return new PadataNatsError('ERR_PADATA_NATS_RUN', `the run '${run}' ${what}`, { run });
  }
}
