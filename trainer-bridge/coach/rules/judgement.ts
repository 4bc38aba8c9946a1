// What a rule finds: a value with its reasons, or why there is none.
import type { Evidence } from "../../../src/protocol/model.ts";

/** A process reward 0-10 with its reasons; `value` null says that nothing can be judged, and `missingReason` why. */
export interface Judgement {
  readonly value: number | null;
  readonly rationale: string;
  readonly evidence: readonly Evidence[];
  readonly tags: readonly string[];
  readonly missingReason?: string;
}
