/** Length of a job: blocks to hash (0 = trivial), or milliseconds to wait. */
export interface JobLength {
  readonly blocks: number;
  readonly waitMs: number;
}
export function work(blocks: number): number;
export function increment(n: number): number;
export function spin(n: number, context: { readonly shared: JobLength }): number;
export function pause(n: number, context: { readonly shared: JobLength }): number | Promise<number>;
export function perform(length: JobLength, n: number): number | Promise<number>;
export function blocksPerMs(): number;
