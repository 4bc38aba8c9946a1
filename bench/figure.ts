// One measured figure, as `npm run bench` prints it.

/** A figure with its goal; `peer` is what another tool reaches in the same test, null where none was measured. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it should be, with its direction, for instance "< 20". */
  readonly goal: string;
  readonly peer: string | null;
}
