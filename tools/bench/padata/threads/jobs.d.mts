export function increment(value: number): number;
export function emptyChunk(): undefined;
export function sumChunk(start: number, end: number, arg: { values: Float64Array }): number;
