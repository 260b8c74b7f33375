/** In browsers a module is what its address says, and nothing translates it. */
export const sourceOf = (href: string): string => href;
export const prepareTypeScript = (): Promise<void> => Promise.resolve();
