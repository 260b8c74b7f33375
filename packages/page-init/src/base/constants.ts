/** Sizes of the modelled machine. */

/** Bytes of a page descriptor there; ours have fewer. Sizes memory that holds its own descriptors. */
export const KERNEL_DESCRIPTOR_BYTES = 64;
