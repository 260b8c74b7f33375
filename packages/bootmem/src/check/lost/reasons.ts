/** Reasons that several files give. */

/** Why nothing follows that releases count in their own ways. */
export const NO_RELEASE = 'the kernel release is not in the log';
