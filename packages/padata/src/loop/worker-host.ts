/** What a backend gives to the loop of a worker thread. Types only. */

/** What a thread has printed and its owner's thread has not taken. */
export interface ThreadOutput {
  readonly isPending: boolean;
  /** Bytes of it. */
  readonly bytes: number;
  /** Called in the event loop when nothing is pending any more. */
  onTaken: (() => void) | undefined;
}

/** The thread and its owner's end. */
export interface WorkerHost {
  post(message: unknown, transfer?: readonly unknown[]): void;
  /** Takes one message without the event loop; `UNREAD` = it could not be read, undefined = none, or not possible. */
  receive(): unknown;
  yieldToEvents(): Promise<void>;
  /** Ends the thread. */
  exit(): void;
  /** Name of the thread for the operating system, 0 = unknown. */
  readonly tid: number;
  readonly canBlock: boolean;
  /** Milliseconds that the thread's event loop was busy so far; undefined = not known. */
  busyMs(): number | undefined;
  /** Bytes in use on the thread's heap; undefined = not known. */
  heapBytes(): number | undefined;
  /** What functions print; undefined = it leaves the thread by itself. */
  readonly output: ThreadOutput | undefined;
}
