// Fits a vscode-jsonrpc connection to `Wire`; its classes come in as values, so node and browser pages share this file.
import { type Cancellation, ProtocolError, type Wire } from "./rpc.ts";

/** The part of vscode-jsonrpc's `MessageConnection` that is used. */
export interface MessageConnectionLike {
  sendRequest(method: string, ...params: unknown[]): Promise<unknown>;
  sendNotification(method: string, ...params: unknown[]): Promise<void>;
  onRequest(method: string, handler: (...params: never[]) => unknown): { dispose(): void };
  onNotification(method: never, handler: never): { dispose(): void };
  onProgress(type: never, token: string, handler: (value: never) => void): { dispose(): void };
  sendProgress(type: never, token: string, value: never): Promise<void>;
}

/** vscode-jsonrpc's classes, from `vscode-jsonrpc/node` or `vscode-jsonrpc/browser`. */
export interface JsonRpcClasses {
  readonly ResponseError: new (code: number, message: string, data?: unknown) => Error;
  readonly ProgressType: new () => object;
}

/** Wraps a connection; a `ProtocolError` thrown by a handler crosses with its number and data, and arrives as one. */
export function wireOf(
  connection: MessageConnectionLike,
  classes: JsonRpcClasses,
  log: (message: string, error: unknown) => void,
): Wire {
  const progressType = new classes.ProgressType() as never;
  return {
    async request(method, params, cancellation) {
      try {
        return await (cancellation
          ? connection.sendRequest(method, params, cancellation)
          : connection.sendRequest(method, params));
      } catch (error) {
        throw fromWire(error);
      }
    },
    notify: (method, params) => connection.sendNotification(method, params),
    onRequest: (method, handler) =>
      connection.onRequest(method, (async (params: unknown, cancellation: Cancellation) => {
        try {
          return await handler(params, cancellation);
        } catch (error) {
          if (error instanceof ProtocolError) throw new classes.ResponseError(error.code, error.message, error.data);
          log(`${method} failed`, error);
          throw new classes.ResponseError(
            -32603,
            `${method} failed: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
      }) as never),
    onNotification: (method, handler) => connection.onNotification(method as never, handler as never),
    onProgress: (token, handler) => connection.onProgress(progressType, token, handler as never),
    sendProgress: (token, value) => connection.sendProgress(progressType, token, value as never),
  };
}

function fromWire(error: unknown): unknown {
  if (error instanceof Error && "code" in error && typeof error.code === "number") {
    return new ProtocolError(error.code, error.message, "data" in error ? error.data : undefined);
  }
  return error;
}
