/**
 * Mail as it is sent: text in which every byte is one of those that survive the way.
 *
 *   quoted-printable   `=3D` is a byte; a `=` at the end of a line joins it with the next; lines are at most 76 long
 *   base64             four characters are three bytes; lines of the text end inside them
 *
 * Both are announced by a header, but logs are often cut out of the mail without it, so the shape counts as well.
 *
 * Source: RFC 2045, sections 6.7 and 6.8
 */
import { MAX_LINE_LENGTH } from '../base/constants.js';

const QUOTED_HEADER = /^Content-Transfer-Encoding:\s*quoted-printable\s*$/i;
const BASE64_HEADER = /^Content-Transfer-Encoding:\s*base64\s*$/i;
const OTHER_HEADER = /^Content-Transfer-Encoding:/i;

/** A line that only this coding writes: an end of line that was coded, or one that is cut where lines must end. */
const QUOTED_LINE = /=0[AD]=?\s*$|^(?=.{73,76}\s*$).*=\s*$/;

/** A line that holds nothing but base64, as long as mailers make them. */
const BASE64_LINE = /^(?:[A-Za-z0-9+/]{4}){14,19}$/;
const BASE64_END =
  /^(?:[A-Za-z0-9+/]{4}){0,19}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;
/** Such lines in a row that make a text of them, without a header. */
const BASE64_RUN = 3;

/** Receives a line of the text inside. */
export type TextSink = (line: string) => void;

/** Undoes quoted-printable, line by line. */
export class QuotedPrintable {
  #on = false;
  #rest = '';

  /** Whether the text is known to be coded. */
  get isOn(): boolean {
    return this.#on;
  }

  /** Whether this line shows that the text is coded, or the text is known to be. */
  sees(line: string): boolean {
    if (QUOTED_HEADER.test(line)) this.#on = true;
    else if (OTHER_HEADER.test(line)) this.#on = false;
    else if (!this.#on && QUOTED_LINE.test(line)) this.#on = true;
    return this.#on;
  }

  /** Takes a physical line; delivers the lines that are complete with it. */
  take(line: string, sink: TextSink): void {
    // Blanks behind it were put there on the way: the coding writes none at the end of a line.
    const coded = line.trimEnd();
    const isSoft = coded.endsWith('=');
    const whole = this.#rest + (isSoft ? coded.slice(0, -1) : line);
    this.#rest = '';
    // Nothing is longer than a line may be: what never ends is delivered in pieces.
    if (isSoft && whole.length < MAX_LINE_LENGTH) {
      const lastEnd = whole.lastIndexOf('=0A');
      if (lastEnd >= 0) this.#deliver(whole.slice(0, lastEnd), sink);
      this.#rest = lastEnd >= 0 ? whole.slice(lastEnd + 3) : whole;
      return;
    }
    this.#deliver(whole, sink);
  }

  /** Leaves out what waits for a line that never came: the text is cut there, perhaps in the middle of a number. */
  finish(): void {
    this.#rest = '';
  }

  #deliver(coded: string, sink: TextSink): void {
    for (const line of decodeQuoted(coded).split(/\r\n|\n|\r/)) sink(line);
  }
}

function decodeQuoted(coded: string): string {
  return coded.replace(/(?:=[0-9A-F]{2})+/g, (run) => {
    const bytes = run.match(/[0-9A-F]{2}/g)!.map((digits) => Number.parseInt(digits, 16));
    return new TextDecoder().decode(Uint8Array.from(bytes));
  });
}

/** Undoes base64, line by line; a first few lines are held until it is clear what they are. */
export class Base64Text {
  #announced = false;
  #isOn = false;
  #held: string[] = [];
  #text = '';
  /** Made when it is needed: hardly any input is coded. */
  #decoder: InstanceType<typeof TextDecoder> | undefined;

  /** Whether a text has been announced or has begun. */
  get isActive(): boolean {
    return this.#announced || this.#isOn || this.#held.length > 0;
  }

  /**
   * Takes a physical line.
   * @param sink   gets lines of the text inside
   * @param plain  gets lines that turned out to be no base64
   * @returns false when the line is none of this coding's business
   */
  take(line: string, sink: TextSink, plain: TextSink): boolean {
    if (OTHER_HEADER.test(line)) {
      this.flush(sink, plain);
      this.#announced = BASE64_HEADER.test(line);
      return false;
    }
    const isFull = BASE64_LINE.test(line);
    const isEnd =
      !isFull && (this.#isOn || this.#held.length > 0 || this.#announced) && BASE64_END.test(line);
    if (!isFull && !isEnd) {
      if (line !== '') this.flush(sink, plain);
      return false;
    }
    this.#held.push(line);
    if (!this.#isOn && !this.#announced && this.#held.length < BASE64_RUN) return true;
    this.#isOn = true;
    for (const coded of this.#held.splice(0)) this.#decode(coded, sink);
    if (isEnd) this.flush(sink, plain);
    return true;
  }

  /** Ends the text: delivers its last line, or gives back lines that were too few to be a text. */
  flush(sink: TextSink, plain: TextSink): void {
    for (const line of this.#held.splice(0)) plain(line);
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#announced = false;
    const rest = this.#text + (this.#decoder?.decode() ?? '');
    this.#text = '';
    if (rest !== '') sink(rest);
  }

  #decode(coded: string, sink: TextSink): void {
    const bytes = Uint8Array.from(atob(coded), (char) => char.charCodeAt(0));
    this.#decoder ??= new TextDecoder();
    const text = this.#text + this.#decoder.decode(bytes, { stream: true });
    const lines = text.split(/\r\n|\n|\r/);
    this.#text = lines.pop()!;
    for (const line of lines) sink(line);
    if (this.#text.length > MAX_LINE_LENGTH) {
      sink(this.#text);
      this.#text = '';
    }
  }
}
