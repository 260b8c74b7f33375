/** Faults planted in the rules. */
export function usePlant(_number: number): void {}
export function runPlants(_paths: readonly string[]): number {
  return 0;
}
