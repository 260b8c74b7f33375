/** What a job left on the owner's side besides its callback: bits, by slot. */
export const Left = { KEPT: 1, INPUT: 2, PROMISE: 4, MORE: 8, CANCELLED: 16 } as const;
