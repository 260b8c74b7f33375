/**
 * The codes of a line's characters, one a byte. Where a line is looked at character by character, bytes are several times as fast as a
 * text, which the engine has cut out of another one and looks up anew for each character.
 */

const ENCODER = new TextEncoder();
/** Bytes that a character may have as UTF-8. */
const LONGEST = 3;
/** Room for nearly all lines; more is made when one needs it. */
const FIRST_BYTES = 1024;
/** All that is told of a character beyond ASCII: it may pass for another, and who finds something has to look at the text. */
const MASK = 0x7f;

/** Codes of one line after the other. */
export class LineCodes {
  bytes = new Uint8Array(FIRST_BYTES);
  /** Characters of the line; what is behind them is of lines before. */
  length = 0;
  /** Every byte is its character. */
  isAscii = true;

  /**
   * Takes the codes of a text.
   * @remarks cost a copy of its bytes; a look at each character where some are beyond ASCII
   */
  set(text: string): this {
    this.length = text.length;
    const most = LONGEST * text.length;
    if (most > this.bytes.length) this.bytes = new Uint8Array(2 * most);
    const { bytes } = this;
    this.isAscii = ENCODER.encodeInto(text, bytes).written === text.length;
    if (this.isAscii) return this;
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at) & MASK;
    return this;
  }
}
