/**
 * Proof that a thread has ended, where the operating system gives one.
 *
 *     /proc/thread-self -> <pid>/task/<tid>       who am I
 *     /proc/self/task/<tid>/stat, field 22        when this thread began, in clock ticks since boot
 *
 * Linux lists the threads of a process there; one that has ended is gone within milliseconds, whether or not the
 * thread that started it has handled the event. Tid and start time together name a thread: a tid is used again,
 * but not with the same start. Nothing else counts as proof: a file that cannot be read for another reason (limits,
 * permissions, no /proc) proves nothing, nor does any length of silence.
 *
 * Node's modules come from `process.getBuiltinModule`, which every supported version has: browsers have none, and
 * no bundler sees an import. Cost of a look: about 10 µs.
 */

/** A thread as the operating system names it. */
export interface ThreadName {
  readonly tid: number;
  /** Clock ticks since boot. */
  readonly start: number;
}

/** What is used of `node:fs`. */
interface FileSystem {
  readlinkSync(path: string): string;
  readFileSync(path: string, encoding: 'latin1'): string;
}

/** What is used of `process`. */
interface Host {
  readonly platform?: string;
  getBuiltinModule?(name: string): unknown;
}

/** Fields of `stat` that follow the name, which may hold blanks: 3 state, 22 start. */
const STATE_FIELD = 0;
const START_FIELD = 19;

function fileSystem(): FileSystem | undefined {
  const host = (globalThis as { process?: Host }).process;
  if (host?.platform !== 'linux') return undefined;
  return host.getBuiltinModule?.('node:fs') as FileSystem | undefined;
}

/** State letter and start of a thread; undefined when it is gone. @throws what reading throws otherwise */
function lookAt(fs: FileSystem, tid: number): { state: string; start: number } | undefined {
  let text: string;
  try {
    text = fs.readFileSync(`/proc/self/task/${tid}/stat`, 'latin1');
  } catch (error) {
    const { code } = error as { code?: string };
    // ESRCH: it ended between opening and reading.
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[STATE_FIELD] ?? '', start: Number(fields[START_FIELD]) };
}

function nameSelf(fs: FileSystem): ThreadName | undefined {
  try {
    const tid = Number(/\/task\/(\d+)$/.exec(fs.readlinkSync('/proc/thread-self'))?.[1]);
    const start = lookAt(fs, tid)?.start;
    const whole = Number.isSafeInteger(start) && Number.isSafeInteger(tid) && tid < 2 ** 31;
    return whole ? { tid, start: start! } : undefined;
  } catch {
    // No /proc, or it may not be read: there is no proof here.
    return undefined;
  }
}

let own: ThreadName | null | undefined;

/** Name of the calling thread; undefined where the system gives none. Found once. */
export function ownName(): ThreadName | undefined {
  if (own === undefined) {
    const fs = fileSystem();
    own = (fs && nameSelf(fs)) ?? null;
  }
  return own ?? undefined;
}

/** Whether a thread of this process has ended: true is certain, false is "not known to have". */
export function isGone(name: ThreadName): boolean {
  const fs = fileSystem();
  const self = ownName();
  if (fs === undefined || self === undefined) return false;
  try {
    const found = lookAt(fs, name.tid);
    if (found !== undefined) {
      return found.start !== name.start || found.state === 'Z' || found.state === 'X';
    }
    // Who does not even find itself looks in the wrong place.
    return lookAt(fs, self.tid)?.start === self.start;
  } catch {
    // Too many open files, no permission: no proof.
    return false;
  }
}

/** Whether another thread of this process is known to run: false is "not known to". */
export function isRunning(name: ThreadName): boolean {
  const fs = fileSystem();
  if (fs === undefined || name.tid === 0 || name.tid === ownName()?.tid) return false;
  try {
    const found = lookAt(fs, name.tid);
    return found?.start === name.start && found.state !== 'Z' && found.state !== 'X';
  } catch {
    return false;
  }
}
