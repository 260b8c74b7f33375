export function stepsFor(costOf: (steps: number) => number, microseconds: number): number;
