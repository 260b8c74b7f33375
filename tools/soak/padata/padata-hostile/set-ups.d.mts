export const BOARD: {
  readonly WRONG: number;
  readonly SETS_UP: number;
  readonly BEGUN: number;
  readonly OPENED: number;
  readonly CLOSED: number;
  readonly LEFT_BY_0: number;
};
export function open(arg: unknown, thread: { worker: number }): Promise<unknown>;
export function close(local: unknown): Promise<void>;
export function look(board: Int32Array, local: unknown, worker: number): void;
