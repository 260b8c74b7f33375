/**
 * What may stand in a page: elements and attributes that a report is made of, one script, no way to another place. A name or a
 * line that was not escaped shows as something else.
 */

/** Blocks whose text is no markup; what ends them is looked for as a browser does. */
const BLOCK = /<(script|style)\b([^>]*)>([^]*?)<\/\1[\s/>]/gi;
const TAG = /<(?:!doctype html|(\/?[a-z][a-z\d]*)((?:\s+[a-z][a-z\d:-]*(?:="[^"<]*")?)*)\s*\/?)>/iy;
const ATTRIBUTE = /([a-z][a-z\d:-]*)(?:="([^"]*)")?/gi;

const TAGS = new Set(
  (
    'html head meta link title style script body header main footer section article nav aside div span p i b em strong small code pre ' +
    'br hr h1 h2 h3 h4 ul ol li dl dt dd table caption thead tbody tr th td details summary button label input select option output ' +
    'figure figcaption a svg g rect line circle path polyline text tspan defs pattern'
  ).split(' '),
);

/** What an attribute must not be; the policy's element and the namespace of drawings apart. */
function isWrong(tag: string, name: string, value: string): boolean {
  if (/^on/i.test(name) || ['src', 'srcset', 'action', 'formaction', 'xlink:href'].includes(name))
    return true;
  if (name === 'href') return value !== 'data:,' && !/^(?:#|https:\/\/)/.test(value);
  if (name === 'http-equiv') return tag !== 'meta' || value !== 'Content-Security-Policy';
  return name === 'style' && /url\(|expression|@import|;.*;.*;/i.test(value);
}

/**
 * Looks at a page.
 * @returns what is wrong, or `undefined`
 */
export function wrongInPage(page: string): string | undefined {
  const scripts: string[] = [];
  const marked = page.replaceAll(BLOCK, (_, kind: string, how: string, text: string) => {
    if (kind.toLowerCase() === 'script') scripts.push(how.includes('json') ? 'data' : 'script');
    if (how.includes('json')) JSON.parse(text);
    return '';
  });
  if (scripts.filter((kind) => kind === 'script').length > 1) return 'a script more than its own';
  for (let at = marked.indexOf('<'); at >= 0; at = marked.indexOf('<', at + 1)) {
    TAG.lastIndex = at;
    const match = TAG.exec(marked);
    const here = JSON.stringify(marked.slice(at, at + 80));
    if (match === null) return `a mark that is none: ${here}`;
    const [, tag = '', attributes = ''] = match;
    if (tag !== '' && !TAGS.has(tag.replace('/', '').toLowerCase())) return `an element: ${here}`;
    for (const [, name = '', value = ''] of attributes.matchAll(ATTRIBUTE)) {
      if (isWrong(tag, name.toLowerCase(), value)) return `an attribute: ${here}`;
    }
  }
  return undefined;
}
