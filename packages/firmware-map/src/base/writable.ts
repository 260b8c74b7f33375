/** Objects of a readonly interface while they are built. */
export type Writable<T> = { -readonly [K in keyof T]: T[K] };
