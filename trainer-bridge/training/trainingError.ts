// What training throws at its door: what happened, what is safe and what to do, with one code a caller can act on.

/** `refused`: the state does not allow it now. `unavailable`: the engine, a policy or the coach cannot be reached. */
export type TrainingErrorCode = "refused" | "notFound" | "unavailable";

/** An error of the training room. */
export class TrainingError extends Error {
  override readonly name = "TrainingError";
  readonly code: TrainingErrorCode;
  constructor(code: TrainingErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The message of anything thrown, for a record that a person reads. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
