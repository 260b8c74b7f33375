export const root: string;
export const PACKAGES: readonly string[];
export const packagePages: ReadonlyMap<string, string>;
export function documents(): string[];
export function asPage(source: string, page: string): string;
