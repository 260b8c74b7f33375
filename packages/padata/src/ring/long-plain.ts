/**
 * From so many bytes on plain data takes its owner milliseconds to write, or to read. Threads do not wait until several are done,
 * neither for the first of several inputs nor for what the program makes of the first of several results. Bytes and text are
 * copied in microseconds, and best while no other thread is at work in the same memory.
 */
export const LONG_PLAIN = 65_536;
