// The job of the programs that measure a first result.
export const increment = (value) => value + 1;
