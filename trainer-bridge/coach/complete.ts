// The one file that speaks to the openai package: messages in, text with its token counts out.
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI, { APIConnectionError, APIError, APIUserAbortError } from "openai";

/** One chat message to the coach's model. */
export interface CoachMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** What the coach's model answered; counts are null where the service gives none. */
export interface Completion {
  readonly text: string;
  readonly isTruncated: boolean;
  readonly promptTokenCount: number | null;
  readonly outputTokenCount: number | null;
}

/** Asks the coach's model for JSON of this schema; throws CoachError where no answer can be had. */
export type Complete = (
  messages: readonly CoachMessage[],
  schema: Record<string, unknown>,
  signal: AbortSignal,
) => Promise<Completion>;

/** The coach's model could not be asked; the message says why and what to do. */
export class CoachError extends Error {
  override readonly name = "CoachError";
}

/** Where the model is, and how patiently it is asked. */
export interface CompleteOptions {
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly model: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
  /** One request at most; then it counts as a transport error. */
  readonly timeoutMs?: number;
  /** Tries in all; only transport errors, 429 and 5xx are tried again. */
  readonly tries?: number;
  readonly firstWaitMs?: number;
}

const LONGEST_WAIT_MS = 60_000;

/** A Complete over any OpenAI-compatible base URL. */
export function openAiComplete(options: CompleteOptions): Complete {
  const { baseUrl, apiKey, model, tries = 5, firstWaitMs = 500, timeoutMs = 180_000 } = options;
  const client = new OpenAI({
    baseURL: baseUrl,
    // The package insists on a key; local servers want none.
    apiKey: apiKey ?? "none",
    maxRetries: 0,
    timeout: timeoutMs,
    organization: null,
    project: null,
    logLevel: "off",
  });
  // Not every service knows every field: what one refused is left out from then on.
  const dialect = { format: "json_schema" as "json_schema" | "json_object" | "text", hasTemperature: true };

  const ask = async (
    messages: readonly CoachMessage[],
    schema: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Completion> => {
    const format =
      dialect.format === "json_schema"
        ? {
            response_format: {
              type: "json_schema" as const,
              json_schema: { name: "process_reward", strict: true, schema },
            },
          }
        : dialect.format === "json_object"
          ? { response_format: { type: "json_object" as const } }
          : {};
    const reply = await client.chat.completions.create(
      {
        model,
        messages: messages.map((message) => ({ ...message })),
        ...(dialect.hasTemperature ? { temperature: options.temperature ?? 0 } : {}),
        ...(options.maxTokens === undefined ? {} : { max_completion_tokens: options.maxTokens }),
        ...format,
      },
      { signal },
    );
    const choice = reply.choices?.[0];
    return {
      text: choice?.message?.content ?? "",
      isTruncated: choice?.finish_reason === "length",
      promptTokenCount: reply.usage?.prompt_tokens ?? null,
      outputTokenCount: reply.usage?.completion_tokens ?? null,
    };
  };

  return async (messages, schema, signal) => {
    for (let attempt = 1; ; ) {
      try {
        return await ask(messages, schema, signal);
      } catch (error) {
        if (signal.aborted || error instanceof APIUserAbortError) throw signal.reason ?? error;
        if (!(error instanceof APIError)) throw error;
        if (simplify(dialect, error)) continue;
        if (!isPassing(error) || attempt >= tries)
          throw new CoachError(reasonOf(error, baseUrl, model, attempt), { cause: error });
        const backOff = firstWaitMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
        attempt++;
        await sleep(Math.min(Math.max(retryAfterMs(error), backOff), LONGEST_WAIT_MS), undefined, { signal });
      }
    }
  };
}

/** Leaves out the field that a 400 names, if one is left to leave out. */
function simplify(
  dialect: { format: "json_schema" | "json_object" | "text"; hasTemperature: boolean },
  error: APIError,
): boolean {
  if (error.status !== 400 && error.status !== 422) return false;
  const said = error.message.toLowerCase();
  if (dialect.format !== "text" && /response_format|json_schema|json_object|structured/.test(said)) {
    dialect.format = dialect.format === "json_schema" ? "json_object" : "text";
    return true;
  }
  if (dialect.hasTemperature && said.includes("temperature")) {
    dialect.hasTemperature = false;
    return true;
  }
  return false;
}

/** Whether trying again may help: the connection, the rate, or the server itself. */
function isPassing(error: APIError): boolean {
  return error instanceof APIConnectionError || error.status === 429 || (error.status ?? 0) >= 500;
}

function retryAfterMs(error: APIError): number {
  const header = error.headers?.get("retry-after");
  if (header === null || header === undefined) return 0;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : 0;
}

function reasonOf(error: APIError, baseUrl: string, model: string, attempts: number): string {
  const where = URL.canParse(baseUrl) ? new URL(baseUrl).origin : "its address";
  const tried = attempts > 1 ? `, tried ${attempts} times` : "";
  if (error instanceof APIConnectionError)
    return `The coach at ${where} could not be reached (${error.message})${tried}. Check the address and that it runs.`;
  const said = error.message.replace(/\s+/g, " ").slice(0, 300);
  const advice =
    error.status === 401 || error.status === 403
      ? " Check the coach's API key."
      : error.status === 404
        ? ` Check that a model "${model}" is served there.`
        : error.status === 429
          ? " The service is at its limit; wait or lower the number of coach calls at once."
          : "";
  return `The coach at ${where} refused the request (${said})${tried}.${advice}`;
}
