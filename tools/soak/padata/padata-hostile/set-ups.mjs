// What the hostile soak's pools set up on each thread: something that is open as long as jobs run there. Words of `board`: see
// BOARD.
import { isMainThread } from 'node:worker_threads';

/** Words of `context.shared`: what only functions can see is counted there. */
export const BOARD = { WRONG: 0, SETS_UP: 1, BEGUN: 2, OPENED: 3, CLOSED: 4, LEFT_BY_0: 5 };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** `how`: 'well', 'later', or 'shaky': every third one fails, or ends its thread. */
export async function open({ how, board }, { worker }) {
  const nth = Atomics.add(board, BOARD.BEGUN, 1);
  if (how !== 'well') await sleep(1);
  // On the calling thread an exit would end the program.
  if (how === 'shaky' && !isMainThread && nth % 3 === 1) {
    if (nth % 2 === 0) process.exit(3);
    throw new Error('no more connections');
  }
  Atomics.add(board, BOARD.OPENED, 1);
  return { worker, board, isOpen: true };
}
export async function close(local) {
  const { board } = local;
  if (!local.isOpen) Atomics.add(board, BOARD.WRONG, 1);
  local.isOpen = false;
  await sleep(1);
  local.isClosed = true;
  Atomics.add(board, BOARD.CLOSED, 1);
}
/** A function ends its thread: with code 0, and asked to leave before, that looks as if it had left by itself. */
export function leave({ shared, local }, code) {
  if (code === 0 && local !== undefined && local.isClosed !== true) {
    Atomics.add(shared, BOARD.LEFT_BY_0, 1);
  }
  process.exit(code);
}

/** Is what the thread was to set up there, and not torn down? */
export function look(board, local, worker) {
  if (Atomics.load(board, BOARD.SETS_UP) === 0) return;
  if (local?.isOpen !== true || local.worker !== worker) Atomics.add(board, BOARD.WRONG, 1);
}
