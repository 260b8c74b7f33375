/**
 * From so many bytes on a value takes its owner longer to write, or to read, than a thread needs to wake: threads do not wait until
 * several are done, neither for the first of several inputs nor for what the program makes of the first of several results.
 */
export const LARGE_BYTES = 65_536;
