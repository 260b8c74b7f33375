/** Tells when the next job in order does not end: what it is doing, where, since when. */
import { clearInterval, performance, setInterval } from '../base/host-time.js';
import { SlotState } from '../protocol/ring-layout.js';
import type { JobRing } from '../ring/job-ring.js';
import type { StallReport } from './series-types.js';

const STALL_STATES: Readonly<Record<number, StallReport['state']>> = {
  [SlotState.READY]: 'waiting',
  [SlotState.RUNNING]: 'running',
  [SlotState.PENDING]: 'running',
  [SlotState.HOLDING]: 'running',
  [SlotState.DEFERRED]: 'deferred',
  [SlotState.SENT]: 'sent',
};

/**
 * Watches the deliveries of a ring.
 * @param watchdogMs no delivery for so long is a stall; undefined = do not watch
 * @returns how to stop
 */
export function startWatchdog(
  ring: JobRing,
  watchdogMs: number | undefined,
  onStall: ((report: StallReport) => void) | undefined,
): () => void {
  if (watchdogMs === undefined || onStall === undefined) return () => undefined;
  let lastDelivered = -1;
  let lastMove = 0;
  let lastReport = 0;
  const look = (): void => {
    const now = performance.now();
    const { delivered, outstanding } = ring;
    if (delivered !== lastDelivered || outstanding === 0) {
      lastDelivered = delivered;
      lastMove = now;
      lastReport = now;
      return;
    }
    if (now - lastReport < watchdogMs) return;
    const head = ring.headState();
    const report: StallReport = {
      seq: head.seq,
      state: STALL_STATES[head.phase] ?? 'waiting',
      worker: head.worker,
      ms: now - lastMove,
      behind: outstanding - 1,
    };
    lastReport = now;
    onStall(report);
  };
  const timer = setInterval(look, Math.max(1, watchdogMs / 4));
  (timer as { unref?: () => void }).unref?.();
  return () => {
    clearInterval(timer);
  };
}
