// Typed requests and notifications over a JSON-RPC connection, checked with the wire's table at both ends.
import type * as z from "zod";
import type { Contract, Method, Notification, Params, ParamsIn, Progress, Result } from "./contract.ts";

/** What this file needs of a cancellation token (vscode-jsonrpc's and VS Code's both fit). */
export interface Cancellation {
  readonly isCancellationRequested: boolean;
  readonly onCancellationRequested: (listener: () => void) => { dispose(): void };
}

/** What this file needs of a JSON-RPC connection; a `MessageConnection` of vscode-jsonrpc is wrapped by `wireOf`. */
export interface Wire {
  request(method: string, params: object, cancellation?: Cancellation): Promise<unknown>;
  notify(method: string, params: object): Promise<void>;
  onRequest(
    method: string,
    handler: (params: unknown, cancellation: Cancellation) => Promise<unknown>,
  ): { dispose(): void };
  onNotification(method: string, handler: (params: unknown) => void): { dispose(): void };
  onProgress(token: string, handler: (value: unknown) => void): { dispose(): void };
  sendProgress(token: string, value: unknown): Promise<void>;
}

/** An error that crosses a wire with its number; everything else crosses as an internal error. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** Number of JSON-RPC 2.0 for parameters that do not fit the method. */
export const INVALID_PARAMS = -32602;

/** What a handler is given beside its parameters. */
export interface Call<P> {
  readonly signal: AbortSignal;
  /** Sends progress; does nothing where the asker did not ask for it. */
  progress(value: P): void;
}

/** One handler for each request of the wire; a missing one does not compile. */
export type Handlers<C extends Contract> = {
  readonly [M in Method<C>]: (params: Params<C, M>, call: Call<Progress<C, M>>) => Promise<Result<C, M>> | Result<C, M>;
};

/** Answers every request of the wire. Bad parameters are refused with their path; the result is checked too. */
export function answer<C extends Contract>(wire: Wire, contract: C, handlers: Handlers<C>): { dispose(): void } {
  const registrations = Object.entries(contract.requests).map(([method, row]) =>
    wire.onRequest(method, async (raw, cancellation) => {
      const { progressToken, ...rest } = asObject(method, raw);
      const params = row.params.safeParse(rest);
      if (!params.success) throw new ProtocolError(INVALID_PARAMS, `${method}: ${describe(params.error)}`);
      const abort = new AbortController();
      const listener = cancellation.onCancellationRequested(() => abort.abort());
      if (cancellation.isCancellationRequested) abort.abort();
      const progress = (value: unknown) => {
        if (typeof progressToken === "string") void wire.sendProgress(progressToken, value);
      };
      try {
        const handler = handlers[method as Method<C>] as (params: unknown, call: Call<unknown>) => unknown;
        return row.result.parse(await handler(params.data, { signal: abort.signal, progress }));
      } finally {
        listener.dispose();
      }
    }),
  );
  return { dispose: () => registrations.forEach((registration) => registration.dispose()) };
}

/** How a request is made: with a cancellation and with a listener for progress, if wanted. */
export interface Asking<P> {
  readonly cancellation?: Cancellation;
  readonly onProgress?: (value: P) => void;
}

/** The asking end of a wire. */
export interface Client<C extends Contract> {
  request<M extends Method<C>>(
    method: M,
    params: ParamsIn<C, M>,
    asking?: Asking<Progress<C, M>>,
  ): Promise<Result<C, M>>;
  on<N extends keyof C["notifications"] & string>(
    name: N,
    handler: (data: Notification<C, N>) => void,
  ): { dispose(): void };
}

let nextProgressToken = 0;

/** Asks requests of a wire; every answer is checked against the table before it is believed. */
export function client<C extends Contract>(wire: Wire, contract: C): Client<C> {
  return {
    async request(method, params, asking) {
      const row = contract.requests[method];
      if (row === undefined) throw new Error(`The wire has no request ${method}.`);
      const progressToken = asking?.onProgress && row.progress ? `p${++nextProgressToken}` : undefined;
      const listener =
        progressToken === undefined
          ? undefined
          : wire.onProgress(progressToken, (value) => {
              const checked = row.progress?.safeParse(value);
              if (checked?.success) asking?.onProgress?.(checked.data as never);
            });
      try {
        const sent = progressToken === undefined ? (params as object) : { ...(params as object), progressToken };
        return row.result.parse(await wire.request(method, sent, asking?.cancellation)) as never;
      } finally {
        listener?.dispose();
      }
    },
    on(name, handler) {
      const schema = contract.notifications[name];
      if (schema === undefined) throw new Error(`The wire has no notification ${name}.`);
      return wire.onNotification(name, (data) => handler(schema.parse(data) as never));
    },
  };
}

/** The announcing end of a wire; what is sent is checked by the compiler, what arrives by `client`. */
export function announce<C extends Contract>(wire: Wire, _contract: C) {
  return <N extends keyof C["notifications"] & string>(name: N, data: Notification<C, N>): Promise<void> =>
    wire.notify(name, data as object);
}

function asObject(method: string, raw: unknown): Record<string, unknown> {
  if (raw === undefined || raw === null) return {};
  if (typeof raw !== "object" || Array.isArray(raw))
    throw new ProtocolError(INVALID_PARAMS, `${method}: parameters must be one object, by name.`);
  return raw as Record<string, unknown>;
}

/** A zod error in one line: path and message of the first few issues. */
export function describe(error: z.ZodError): string {
  const issues = error.issues.slice(0, 3).map((issue) => `${issue.path.join(".") || "parameters"}: ${issue.message}`);
  return issues.join("; ") + (error.issues.length > 3 ? `; and ${error.issues.length - 3} more` : "");
}
