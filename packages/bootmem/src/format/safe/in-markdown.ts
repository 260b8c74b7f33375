import { inLine } from './escape.js';

/**
 * Text that Markdown shows as it is, whoever wrote it: no table, picture, link, mention or line of its own comes of it.
 */
export function inMarkdown(text: string): string {
  return inLine(text)
    .replaceAll(/[|\\`*_<>[\]!#&~@$]/g, (mark) => `\\${mark}`)
    .replaceAll(/:(?=\/\/)|(?<=\bwww)\./gi, (mark) => `\\${mark}`);
}
