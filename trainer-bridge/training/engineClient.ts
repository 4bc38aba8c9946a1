// The asking end of the engine wire: one typed call for each training verb, checked before it is believed.
import * as z from "zod";
import { EngineHealth, EngineState, trainingVerbs } from "../../src/protocol/engine.ts";

/** A training verb of the engine wire, by its path. */
export type Verb = keyof typeof trainingVerbs;
export type VerbParams<V extends Verb> = z.input<(typeof trainingVerbs)[V]["params"]>;
export type VerbResult<V extends Verb> = z.output<(typeof trainingVerbs)[V]["result"]>;

/** What went wrong between bridge and engine. `unreachable` and `timeout` may pass; `refused`, `failed` and `badReply` will not. */
export type EngineErrorKind = "unreachable" | "timeout" | "refused" | "failed" | "badReply" | "cancelled";

/** The engine boundary's error. `status` is HTTP's, where there was an answer. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly kind: EngineErrorKind;
  readonly status: number | null;
  constructor(kind: EngineErrorKind, message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.status = options.status ?? null;
  }
}

/** How one call is made: when to give up on it, and the person's cancellation. */
export interface Sending {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** An engine that can be asked. Every method throws `EngineError`. */
export interface EngineClient {
  /** The address that answers now; it changes when a local engine is started again. */
  url(): string;
  /** The bearer token of a remote engine; null where it asks for none. Never logged. */
  readonly token: string | null;
  health(sending?: Sending): Promise<z.output<typeof EngineHealth>>;
  /** What the engine has applied, for each agent. */
  state(sending?: Sending): Promise<z.output<typeof EngineState>>;
  call<V extends Verb>(verb: V, params: VerbParams<V>, sending?: Sending): Promise<VerbResult<V>>;
  /** Sends a body that was stored before, byte for byte. */
  send<V extends Verb>(verb: V, body: string, sending?: Sending): Promise<VerbResult<V>>;
  /** Resolves when the engine answers and is ready; waits for a local one that is being started again. */
  ready(signal?: AbortSignal): Promise<void>;
}

const CALL_TIMEOUT_MS = 10 * 60_000;
const HEALTH_TIMEOUT_MS = 5_000;
const READY_WAIT_MS = 30_000;
const READY_POLL_MS = 100;

/** A client of an engine at a fixed address, or at the address `url` answers each time. Nothing is sent yet. */
export function connectEngine(
  url: string | (() => string),
  options: { readonly token?: string | null; readonly ready?: EngineClient["ready"] } = {},
): EngineClient {
  const address = () => (typeof url === "string" ? url : url()).replace(/\/+$/, "");
  const token = options.token ?? null;
  const ask = <T>(at: string, body: string | null, schema: z.ZodType<T>, sending: Sending, readsErrors = false) =>
    exchange(at, token, body, schema, sending, readsErrors);
  const client: EngineClient = {
    url: address,
    token,
    health: (sending) =>
      ask(`${address()}/healthz`, null, EngineHealth, { timeoutMs: HEALTH_TIMEOUT_MS, ...sending }, true),
    state: (sending) => ask(`${address()}/train/state`, null, EngineState, { timeoutMs: 30_000, ...sending }),
    call(verb, params, sending) {
      const checked = trainingVerbs[verb].params.parse(params);
      return client.send(verb, JSON.stringify(checked), sending);
    },
    send(verb, body, sending) {
      const schema = trainingVerbs[verb].result as unknown as z.ZodType<VerbResult<typeof verb>>;
      return ask(`${address()}${verb}`, body, schema, sending ?? {});
    },
    ready: options.ready ?? ((signal) => untilReady(client, READY_WAIT_MS, signal)),
  };
  return client;
}

/** Asks /healthz until it says ready. Throws the engine's own message when it says failed, or `unreachable` after `waitMs`. */
export async function untilReady(client: EngineClient, waitMs: number, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + waitMs;
  let lastError: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const health = await client.health(signal ? { signal } : {});
      if (health.status === "ready") return;
      if (health.status === "failed") {
        throw new EngineError("failed", `The engine cannot work: ${health.message ?? "it gave no reason"}`);
      }
    } catch (error) {
      if (!(error instanceof EngineError) || !mayPass(error)) throw error;
      lastError = error;
    }
    if (Date.now() > deadline) {
      const message = `The engine at ${client.url()} was not ready within ${Math.round(waitMs / 1000)} s.`;
      throw new EngineError("unreachable", message, { cause: lastError });
    }
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
}

/** Whether trying again later, or after a restart, can help. */
export function mayPass(error: EngineError): boolean {
  return error.kind === "unreachable" || error.kind === "timeout";
}

async function exchange<T>(
  address: string,
  token: string | null,
  body: string | null,
  schema: z.ZodType<T>,
  sending: Sending,
  readsErrors: boolean,
): Promise<T> {
  const timeout = AbortSignal.timeout(sending.timeoutMs ?? CALL_TIMEOUT_MS);
  const signal = sending.signal ? AbortSignal.any([sending.signal, timeout]) : timeout;
  let status: number;
  let text: string;
  try {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const request = body === null ? { signal, headers } : { method: "POST", headers, body, signal };
    if (body !== null) headers["content-type"] = "application/json";
    const response = await fetch(address, request);
    status = response.status;
    text = await response.text();
  } catch (cause) {
    const path = new URL(address).pathname;
    if (sending.signal?.aborted) throw new EngineError("cancelled", `${path} was cancelled.`, { cause });
    if (timeout.aborted) throw new EngineError("timeout", `The engine did not answer ${path} in time.`, { cause });
    throw new EngineError("unreachable", `The engine at ${new URL(address).origin} cannot be reached.`, { cause });
  }
  if (status >= 400 && !readsErrors) {
    const kind = status >= 500 ? "failed" : "refused";
    throw new EngineError(kind, `${new URL(address).pathname}: ${reasonIn(text)} (HTTP ${status})`, { status });
  }
  return parseReply(new URL(address).pathname, text, status, schema);
}

function parseReply<T>(path: string, text: string, status: number, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new EngineError("badReply", `${path}: the answer is not JSON (HTTP ${status}).`, { status, cause });
  }
  const reply = schema.safeParse(json);
  if (reply.success) return reply.data;
  const first = reply.error.issues[0];
  const where = first ? `${first.path.join(".")}: ${first.message}` : "unknown";
  throw new EngineError("badReply", `${path}: the answer does not fit the wire (${where}).`, {
    status,
    cause: reply.error,
  });
}

const ErrorReply = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

/** The engine's own words for an error, or the first of what it sent. */
function reasonIn(text: string): string {
  try {
    const reply = ErrorReply.safeParse(JSON.parse(text));
    if (reply.success) return typeof reply.data.error === "string" ? reply.data.error : reply.data.error.message;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return text.trim().slice(0, 500) || "no reason given";
}
