// A policy behind any OpenAI-compatible URL: Touchline's engine, vLLM, SGLang, or a hosted service.
import { setTimeout as sleep } from "node:timers/promises";
import { ChatCompletion } from "../../src/protocol/engine.ts";
import type { FinishReason } from "../../src/protocol/model.ts";
import { createPost, type Post, type Reply } from "./http.ts";
import { RolloutError } from "./rolloutError.ts";
import type { Sample, Sampled, SampleRequest } from "./sample.ts";
import { splitThinking } from "./textParts.ts";

/** How often and how patiently a request is repeated; only transport errors, 429 and 5xx are. */
export interface RetryOptions {
  /** Tries in all. */
  readonly tries: number;
  /** The first wait; it doubles each time. */
  readonly firstWaitMs: number;
  /** No wait is longer, whatever the server asks for. */
  readonly longestWaitMs: number;
}

const DEFAULT_RETRY: RetryOptions = { tries: 5, firstWaitMs: 250, longestWaitMs: 30_000 };

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  length: "length",
  tool_calls: "toolCalls",
  abort: "abort",
};

/** A Sample that asks `<baseUrl>/chat/completions`; the base URL ends as the service's own (mostly in `/v1`). The key is sent and never shown. */
export function openAiPolicy(
  baseUrl: string,
  apiKey: string | null,
  options: { retry?: Partial<RetryOptions>; post?: Post } = {},
): Sample {
  const url = `${baseUrl.replace(/\/+$/, "")}/chat/completions`;
  const retry = { ...DEFAULT_RETRY, ...options.retry };
  const post = options.post ?? createPost();
  const headers: Record<string, string> = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
  // Strict services refuse fields they do not know; what one refused is left out from then on.
  const dialect = { asksTokenIds: true, lengthField: "max_tokens" };

  return async (request) => {
    for (;;) {
      const body = JSON.stringify(bodyOf(request, dialect));
      const reply = await sendPatiently((signal) => post(url, headers, body, signal), url, retry, request.signal);
      if (reply.status === 400 && dialect.asksTokenIds && reply.body.includes("return_token_ids")) {
        dialect.asksTokenIds = false;
        continue;
      }
      if (
        reply.status === 400 &&
        dialect.lengthField === "max_tokens" &&
        reply.body.includes("max_completion_tokens")
      ) {
        dialect.lengthField = "max_completion_tokens";
        continue;
      }
      if (reply.status !== 200) throw refusal(url, reply, request.model);
      return sampledFrom(reply.body, url);
    }
  };
}

function bodyOf(request: SampleRequest, dialect: { asksTokenIds: boolean; lengthField: string }): unknown {
  return {
    model: request.model,
    messages: request.messages,
    temperature: request.temperature,
    [dialect.lengthField]: request.maxTokens,
    seed: request.seed,
    n: 1,
    logprobs: true,
    ...(dialect.asksTokenIds ? { return_token_ids: true } : {}),
  };
}

async function sendPatiently(
  send: (signal: AbortSignal) => Promise<Reply>,
  url: string,
  retry: RetryOptions,
  signal: AbortSignal,
): Promise<Reply> {
  for (let attempt = 1; ; attempt++) {
    let wish: number | null = null;
    try {
      const reply = await send(signal);
      if ((reply.status !== 429 && reply.status < 500) || attempt >= retry.tries) return reply;
      wish = reply.retryAfterMs;
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (attempt >= retry.tries) {
        const reason = cause instanceof Error ? causeText(cause) : String(cause);
        throw new RolloutError(
          "policy",
          `The policy at ${shown(url)} could not be reached (${reason}), tried ${attempt} times. Check that it runs and that the address is right.`,
          { cause },
        );
      }
    }
    const backOff = retry.firstWaitMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
    await sleep(Math.min(Math.max(wish ?? 0, backOff), retry.longestWaitMs), undefined, { signal });
  }
}

/** AggregateErrors of a refused connection have no message of their own. */
function causeText(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  return error.message !== "" ? error.message : code !== "" ? code : error.name;
}

function refusal(url: string, reply: Reply, model: string): RolloutError {
  const said = reply.body.replace(/\s+/g, " ").slice(0, 300);
  const advice =
    reply.status === 401 || reply.status === 403
      ? "Check the API key of this policy."
      : reply.status === 404
        ? `Check the address, and that a model "${model}" is served there.`
        : reply.status === 429
          ? "The service is at its limit; lower the number of rollouts at once or wait."
          : "";
  return new RolloutError("policy", `The policy at ${shown(url)} answered ${reply.status}: ${said} ${advice}`.trim());
}

/** The address without a user name, password or query that it may carry. */
function shown(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  return parsed === null ? "an address that is no URL" : `${parsed.origin}${parsed.pathname}`;
}

function sampledFrom(body: string, url: string): Sampled {
  const parsed = ChatCompletion.safeParse(jsonOf(body));
  const choice = parsed.data?.choices[0];
  if (!parsed.success || choice === undefined) {
    throw new RolloutError(
      "policy",
      `The policy at ${shown(url)} answered with something that is not a chat completion.`,
      { cause: parsed.error },
    );
  }
  const { model, usage, prompt_token_ids } = parsed.data;
  const { reasoning_content: reasoning, content } = choice.message;
  const parts = splitThinking(content ?? "");
  const thinking = [reasoning, parts.thinking]
    .filter((thought) => typeof thought === "string" && thought !== "")
    .join("\n\n");
  const tokenIds = choice.token_ids ?? null;
  return {
    text: parts.text,
    thinking: thinking === "" ? null : thinking,
    finishReason: finishReasons[choice.finish_reason ?? ""] ?? "unknown",
    model,
    promptTokenIds: prompt_token_ids ?? null,
    tokenIds,
    logprobs: choice.logprobs?.content?.map((token) => token.logprob) ?? null,
    promptTokenCount: usage?.prompt_tokens ?? prompt_token_ids?.length ?? null,
    outputTokenCount: usage?.completion_tokens ?? tokenIds?.length ?? null,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
