// The heights of all rows of a transcript, guessed until they are measured, with sums in O(log n).

/** What a guess at a row's height is made from. */
export interface RowGuess {
  /** Characters of text. */
  readonly size: number;
  readonly hasToolCall: boolean;
}

/** Height in CSS pixels to keep for a row whose body is not here; `charactersPerLine` comes from the width. */
export function guessHeight(row: RowGuess, charactersPerLine: number): number {
  const lines = Math.max(1, Math.ceil(row.size / Math.max(20, charactersPerLine)));
  const text = Math.min(lines * 20, 520);
  return 76 + text + (row.hasToolCall ? 148 : 0);
}

/** Row heights by index with prefix sums (a Fenwick tree over float64). */
export class Heights {
  private count = 0;
  private height = new Float64Array(0);
  private tree = new Float64Array(1);
  private measured = new Uint8Array(0);

  /** Number of rows. */
  get length(): number {
    return this.count;
  }

  /** Sum of all heights, in pixels. */
  get total(): number {
    return this.top(this.count);
  }

  /** Grows (or starts over when shrinking) to `count` rows; new rows get their guess. */
  resize(count: number, guess: (index: number) => number): void {
    const kept = count < this.count ? 0 : this.count;
    const height = new Float64Array(count);
    const measured = new Uint8Array(count);
    height.set(this.height.subarray(0, kept));
    measured.set(this.measured.subarray(0, kept));
    for (let index = kept; index < count; index++) height[index] = guess(index);
    this.count = count;
    this.height = height;
    this.measured = measured;
    this.rebuild();
  }

  /** Guesses again every row that was never measured; used when the width changed. */
  guessAgain(guess: (index: number) => number): void {
    for (let index = 0; index < this.count; index++) if (!this.measured[index]) this.height[index] = guess(index);
    this.rebuild();
  }

  /** Forgets what was measured: all widths changed. */
  forget(): void {
    this.measured.fill(0);
  }

  /** Records a measured height; returns the change in pixels. */
  set(index: number, pixels: number): number {
    const before = this.height[index];
    if (before === undefined) return 0;
    this.measured[index] = 1;
    const change = pixels - before;
    if (change === 0) return 0;
    this.height[index] = pixels;
    for (let node = index + 1; node <= this.count; node += node & -node)
      this.tree[node] = (this.tree[node] ?? 0) + change;
    return change;
  }

  /** Height of a row. */
  of(index: number): number {
    return this.height[index] ?? 0;
  }

  /** Distance of a row's upper edge from the top of the transcript. */
  top(index: number): number {
    let sum = 0;
    for (let node = Math.min(index, this.count); node > 0; node -= node & -node) sum += this.tree[node] ?? 0;
    return sum;
  }

  /** The row that covers a distance from the top; the first or the last one outside. */
  indexAt(y: number): number {
    let index = 0;
    let rest = y;
    let bit = 1;
    while (bit * 2 <= this.count) bit *= 2;
    for (; bit > 0; bit >>= 1) {
      const next = index + bit;
      const sum = this.tree[next];
      if (next <= this.count && sum !== undefined && sum <= rest) {
        index = next;
        rest -= sum;
      }
    }
    return Math.max(0, Math.min(index, this.count - 1));
  }

  private rebuild(): void {
    this.tree = new Float64Array(this.count + 1);
    for (let node = 1; node <= this.count; node++) {
      this.tree[node] = (this.tree[node] ?? 0) + (this.height[node - 1] ?? 0);
      const parent = node + (node & -node);
      if (parent <= this.count) this.tree[parent] = (this.tree[parent] ?? 0) + (this.tree[node] ?? 0);
    }
  }
}
