// What a rollout needs of a policy: messages in, text with its token ids out.
import type { FinishReason, Message } from "../../src/protocol/model.ts";

/** One request to a policy. */
export interface SampleRequest {
  /** The frozen name, for instance `solver@v3`. */
  readonly model: string;
  readonly messages: readonly Message[];
  readonly temperature: number;
  readonly maxTokens: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** What the policy wrote. Token ids and log-probs (nats, length T) are the server's own, or all null. */
export interface Sampled {
  /** The text without the thinking. */
  readonly text: string;
  readonly thinking: string | null;
  readonly finishReason: FinishReason;
  /** The model that the server says it used. */
  readonly model: string;
  readonly promptTokenIds: number[] | null;
  readonly tokenIds: number[] | null;
  readonly logprobs: number[] | null;
  readonly promptTokenCount: number | null;
  readonly outputTokenCount: number | null;
}

/** Asks a policy once; throws RolloutError("policy", …) where it cannot be had. */
export type Sample = (request: SampleRequest) => Promise<Sampled>;

/** The policy of one agent during one rollout: where to ask, and the one version that is asked. */
export interface Policy {
  readonly sample: Sample;
  readonly model: string;
}
