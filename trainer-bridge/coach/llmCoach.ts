// A language model as coach: prompt, call, strict reading, one repair, else a missing score.
import { createHash } from "node:crypto";
import type { Evidence } from "../../src/protocol/model.ts";
import type { Coach, CoachContext, ScoreDraft } from "./coach.ts";
import {
  CoachError,
  type CoachMessage,
  type Complete,
  type CompleteOptions,
  type Completion,
  openAiComplete,
} from "./complete.ts";
import { coachPrompt } from "./prompt.ts";
import { REPLY_SCHEMA, type Reply, readReply } from "./reply.ts";
import { drawBoundary, neutral } from "./untrusted.ts";

/** Coach calls in flight at once where nothing else is asked for. */
const CONCURRENCY = 8;

/** What a model costs, in US dollars a million tokens. */
export interface Price {
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
}

/** Which model is the coach, and how it is asked. */
export interface LlmCoachOptions extends CompleteOptions {
  readonly price?: Price;
  /** Calls at once at most. */
  readonly concurrency?: number;
}

/** A coach behind any OpenAI-compatible base URL. */
export function llmCoach(options: LlmCoachOptions): Coach {
  return coachFrom(openAiComplete(options), options.model, options);
}

/** A coach that asks through the given function. */
export function coachFrom(
  complete: Complete,
  model: string,
  options: { price?: Price; concurrency?: number } = {},
): Coach {
  const limited = withLimit(options.concurrency ?? CONCURRENCY);
  return {
    name: model,
    score: (context, signal) => limited(() => score(context, complete, model, options.price ?? null, signal)),
  };
}

async function score(
  context: CoachContext,
  complete: Complete,
  model: string,
  price: Price | null,
  signal: AbortSignal,
): Promise<ScoreDraft> {
  signal.throwIfAborted();
  const boundary = drawBoundary();
  const messages = coachPrompt(context, boundary);
  const used = { prompt: 0, output: 0, isKnown: true };
  const count = (completion: Completion): void => {
    used.isKnown &&= completion.promptTokenCount !== null && completion.outputTokenCount !== null;
    used.prompt += completion.promptTokenCount ?? 0;
    used.output += completion.outputTokenCount ?? 0;
  };
  const drafted = (reply: Reply | null, missingReason: string | null): ScoreDraft => ({
    kind: "score",
    source: "coach",
    phase: context.phase,
    value: reply?.score ?? null,
    rationale: reply?.rationale ?? "",
    evidence: reply === null ? [] : evidenceOf(reply, context),
    tags: reply === null ? [] : [...new Set(reply.tags)],
    author: model,
    basedOn: null,
    missingReason,
    // The boundary is new each time; without it the same question has the same hash.
    promptSha256: createHash("sha256").update(JSON.stringify(messages).replaceAll(boundary, "boundary")).digest("hex"),
    promptTokenCount: used.isKnown ? used.prompt : null,
    outputTokenCount: used.isKnown ? used.output : null,
    cost:
      price === null || !used.isKnown
        ? null
        : (used.prompt * price.inputPerMillion + used.output * price.outputPerMillion) / 1e6,
  });
  try {
    const first = await complete(messages, REPLY_SCHEMA, signal);
    count(first);
    const read = readReply(first.text);
    if ("reply" in read) return drafted(read.reply, null);
    const second = await complete([...messages, ...repairRequest(first, read.fault, boundary)], REPLY_SCHEMA, signal);
    count(second);
    const mended = readReply(second.text);
    if ("reply" in mended) return drafted(mended.reply, null);
    return drafted(null, `The coach's reply could not be read, nor its repair: ${mended.fault}.`);
  } catch (error) {
    if (signal.aborted || !(error instanceof CoachError)) throw error;
    if (used.prompt === 0) used.isKnown = false;
    return drafted(null, error.message);
  }
}

/** The whole conversation again with the bad reply and what is wrong with it. */
function repairRequest(first: Completion, fault: string, boundary: string): CoachMessage[] {
  const why = first.isTruncated ? `${fault}; it was cut off at the token limit, so be shorter` : fault;
  return [
    { role: "assistant", content: neutral(first.text.slice(0, 8000), boundary) || "(empty)" },
    {
      role: "user",
      content: `That cannot be used: ${why}. Judge the same action again and reply with the JSON object alone: rationale, evidence, tags, and score as a number from 0 to 10.`,
    },
  ];
}

/** The coach's evidence with the tool call it is about; lines that contradict each other are left out. */
function evidenceOf(reply: Reply, { action }: CoachContext): Evidence[] {
  return reply.evidence.map(({ source, quote, lineFrom, lineTo }) => {
    const isOfTool = source === "code" || source === "stdout" || source === "stderr" || source === "file";
    const call = isOfTool
      ? (action.toolCalls.find((one) =>
          one[source === "code" ? "input" : source === "stderr" ? "stderr" : "stdout"].includes(quote),
        ) ?? action.toolCalls.at(-1))
      : undefined;
    const from = lineFrom ?? null;
    const to = lineTo ?? from;
    const isRange = from !== null && to !== null && from <= to;
    return {
      source,
      toolCallId: call?.id ?? null,
      lineFrom: isRange ? from : null,
      lineTo: isRange ? to : null,
      quote,
    };
  });
}

/** Runs work with at most `width` at once. */
function withLimit(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return async (work) => {
    if (inside >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) inside--;
      else next();
    }
  };
}
