/** One file of a conformance run: how many facts were compared, and the first that differs. */
export interface CaseResult {
  readonly name: string;
  readonly checks: number;
  /** The first difference in readable form; absent when all is equal. */
  readonly first?: string;
}

/** Collects comparisons of one file. */
export class Case {
  readonly #name: string;
  #checks = 0;
  #first: string | undefined;

  /** @param name  shown with a difference */
  constructor(name: string) {
    this.#name = name;
  }

  /** Compares two values by their JSON form. */
  equal(what: string, expected: unknown, found: unknown): void {
    this.#checks++;
    const [left, right] = [JSON.stringify(expected), JSON.stringify(found)];
    if (left === right) return;
    this.#first ??= `${what}: expected ${clip(left)}, found ${clip(right)}`;
  }

  /** Notes a fact that must hold. */
  holds(what: string, fact: boolean): void {
    this.equal(what, true, fact);
  }

  /** The outcome. */
  result(): CaseResult {
    const base = { name: this.#name, checks: this.#checks };
    return this.#first === undefined ? base : { ...base, first: this.#first };
  }
}

// `JSON.stringify` gives undefined for undefined, whatever its type says.
function clip(text: string | undefined): string {
  return text === undefined ? 'nothing' : text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
