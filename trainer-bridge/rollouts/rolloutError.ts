// The one error of a rollout's boundaries: it ends the rollout and becomes its outcome.

/** What a rollout meets the world at. */
export type Boundary = "policy" | "tool" | "task";

/** A boundary failed; the message says what happened and what to do. */
export class RolloutError extends Error {
  override readonly name = "RolloutError";
  readonly boundary: Boundary;

  constructor(boundary: Boundary, message: string, options?: ErrorOptions) {
    super(message, options);
    this.boundary = boundary;
  }
}
