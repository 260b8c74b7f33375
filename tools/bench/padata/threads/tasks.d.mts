export function increment(value: number): number;
export function burn(steps: number): number;
export function burnTimed(steps: number): [thread: number, endMs: number];
export function costOf(steps: number): number;
export function calibrate(microseconds: number): number;
export function encrypt(packet: { number: number; data: Uint8Array }): Buffer;
