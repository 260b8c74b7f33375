export const root: string;
export const SITE: string;
export const PACKAGES: readonly string[];
export const pages: ReadonlyMap<string, string>;
export function documents(): string[];
export function asPage(source: string): string;
