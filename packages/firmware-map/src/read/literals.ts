/**
 * Texts that whatever matches a regular expression must hold: those of its alternatives that stand there letter by letter.
 *
 *   efi: +(?:mem\d+: *\[|0x)   ─▶   "efi: …mem…: …["   "efi: …0x"   ─▶   "efi: "   "efi: "
 *
 * Only the forms that hints are written in are known: letters, escapes, classes, groups that are not kept, and the quantifiers.
 */

/** Stands for anything, or for a condition on what is beside it. */
const ANY = '\0';

/** A text that an alternative must hold. */
export interface Literal {
  readonly text: string;
  /** It is all that the alternative asks for. */
  readonly isWhole: boolean;
}

/**
 * The longest such text of each alternative.
 * @param source  of a regular expression
 * @throws Error for a form that is not known: hints are written here, not read from outside
 */
export function literalsOf(source: string): Literal[] {
  const [texts, end] = alternatives(source, 0);
  if (end < source.length) throw new Error(`a ")" without a group in /${source}/`);
  return texts.map((whole) => {
    const parts = whole.split(ANY);
    const text = parts.reduce((longest, part) => (part.length > longest.length ? part : longest));
    return { text, isWhole: parts.length === 1 };
  });
}

/** All texts that a group, or the whole, may stand for, and where it ends. */
function alternatives(source: string, from: number): [texts: string[], end: number] {
  const done: string[] = [];
  let texts = [''];
  let at = from;
  while (at < source.length && source[at] !== ')') {
    if (source[at] === '|') {
      done.push(...texts);
      texts = [''];
      at++;
      continue;
    }
    const [piece, end] = atom(source, at);
    const [forms, next] = quantified(piece, source, end);
    texts = texts.flatMap((text) => forms.map((form) => text + form));
    at = next;
  }
  return [[...done, ...texts], at];
}

/** What one piece stands for: a letter, a class, a group. */
function atom(source: string, at: number): [forms: string[], end: number] {
  const char = source[at]!;
  if (char === '^' || char === '$' || char === '.') return [[ANY], at + 1];
  if (char === '[') return [[ANY], source.indexOf(']', at + 2) + 1];
  if (char === '(') {
    if (!source.startsWith('(?:', at)) throw new Error(`a group that is kept in /${source}/`);
    const [texts, end] = alternatives(source, at + 3);
    return [texts, end + 1];
  }
  if (char !== '\\') return [[char], at + 1];
  const escaped = source[at + 1]!;
  return [[/\w/.test(escaped) ? ANY : escaped], at + 2];
}

/** The same with the quantifier that follows, if one does. */
function quantified(forms: string[], source: string, at: number): [forms: string[], end: number] {
  switch (source[at]) {
    case '?':
      return [[...forms, ''], at + 1];
    case '+':
      return [forms.map((form) => form + ANY), at + 1];
    case '*':
      return [[ANY], at + 1];
    case '{':
      return [[ANY], source.indexOf('}', at) + 1];
    default:
      return [forms, at];
  }
}
