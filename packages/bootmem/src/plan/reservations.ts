/** Two facts of every kernel that few logs tell. */

/** Where an x86-64 kernel without address randomisation lies, bytes. */
export const KERNEL_BASE = 0x1000000;

/** Bytes of one of Linux's page descriptors. */
export const LINUX_DESCRIPTOR = 64;
