export function work(blocks: number): number;
export function increment(n: number): number;
export function spin(n: number, context: { readonly shared: { readonly blocks: number } }): number;
export function blocksPerMs(): number;
