/** Looks for strings that end a text while it is being made. */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /**
   * @param text what the text goes on with
   * @returns what may be given out: all up to the first stop string, or up to what may become one
   */
  push(text: string): { text: string; found: boolean } {
    const whole = this.#held + text;
    const places = this.#stops.map((stop) => whole.indexOf(stop)).filter((place) => place !== -1);
    if (places.length > 0) {
      this.#held = '';
      return { text: whole.slice(0, Math.min(...places)), found: true };
    }
    const end = whole.length - this.#longestBeginning(whole);
    this.#held = whole.slice(end);
    return { text: whole.slice(0, end), found: false };
  }

  /** @returns what was held back, at the end of the text */
  rest(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** How many characters at the text's end are the beginning of a stop string. */
  #longestBeginning(text: string): number {
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      const end = text.slice(-length);
      if (this.#stops.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }
}
