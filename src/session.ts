// One connection to a trainer-bridge, and all that ends with it.
import { createMessageConnection, ProgressType, ResponseError } from "vscode-jsonrpc/node";
import { WebSocket } from "ws";
import type * as z from "zod";
import { errorLine, type Log } from "./log.ts";
import {
  BridgeErrorCode,
  bridgeContract,
  type Capability,
  MAX_MESSAGE_BYTES,
  PROTOCOL_VERSION,
} from "./protocol/bridge.ts";
import { wireOf } from "./protocol/connection.ts";
import type { Result } from "./protocol/contract.ts";
import { type Client, client, ProtocolError } from "./protocol/rpc.ts";
import { SessionError, type Target } from "./sessionError.ts";
import { SocketReader, SocketWriter } from "./socketMessages.ts";

/** The typed asking end of the bridge wire. */
export type Bridge = Client<typeof bridgeContract>;

/** An open connection: `hello` is what the bridge said of itself, `ended` settles with the reason when it is over. */
export interface Session {
  readonly bridge: Bridge;
  readonly hello: Result<typeof bridgeContract, "initialize">;
  readonly ended: Promise<string>;
  close(): void;
}

const OPEN_TIMEOUT_MS = 10_000;
const PING_MS = 15_000;

/** Connects, says hello with the token, and answers; every pending request ends when the wire ends. */
export async function openSession(
  target: Target,
  clientName: string,
  wants: z.infer<typeof Capability>[],
  log: Log,
): Promise<Session> {
  const socket = await openSocket(target.url);
  const connection = createMessageConnection(new SocketReader(socket), new SocketWriter(socket));
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  let isOver = false;
  const finish = (why: string) => {
    if (isOver) return;
    isOver = true;
    clearInterval(heartbeat);
    // Disposing rejects every pending request.
    connection.dispose();
    socket.terminate();
    end(why);
  };
  let isAlive = true;
  const heartbeat = setInterval(() => {
    if (!isAlive) return finish("The trainer stopped answering.");
    isAlive = false;
    socket.ping();
  }, PING_MS);
  socket.on("pong", () => {
    isAlive = true;
  });
  socket.on("close", (code, reason) =>
    finish(reason.length > 0 ? reason.toString() : `The connection was closed (${code}).`),
  );
  socket.on("error", (error) => log.warn(`socket: ${errorLine(error)}`));
  connection.onError(([error]) => log.warn(`wire: ${errorLine(error)}`));
  connection.listen();

  const wire = wireOf(connection, { ResponseError, ProgressType }, (message, error) =>
    log.error(`${message}: ${errorLine(error)}`),
  );
  const bridge = client(wire, bridgeContract);
  try {
    const hello = await within(
      OPEN_TIMEOUT_MS,
      bridge.request("initialize", {
        protocolVersion: PROTOCOL_VERSION,
        client: clientName,
        token: target.token,
        wants,
      }),
    );
    return { bridge, hello, ended, close: () => finish("Disconnected.") };
  } catch (error) {
    finish("The trainer did not let this client in.");
    throw sessionError(error);
  }
}

function openSocket(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, { maxPayload: 4 * MAX_MESSAGE_BYTES, handshakeTimeout: OPEN_TIMEOUT_MS });
    } catch (cause) {
      reject(new SessionError("badUrl", `“${url}” is not the address of a trainer.`, { cause }));
      return;
    }
    socket.once("open", () => {
      socket.removeAllListeners();
      resolve(socket);
    });
    socket.once("unexpected-response", (_request, response) => {
      const isUnauthorized = response.statusCode === 401 || response.statusCode === 403;
      reject(
        new SessionError(
          isUnauthorized ? "unauthorized" : "refused",
          `The address answered with HTTP ${response.statusCode}.`,
        ),
      );
      socket.on("error", () => undefined);
      socket.terminate();
    });
    socket.once("error", (cause) => {
      socket.on("error", () => undefined);
      reject(new SessionError("unreachable", `No trainer answers at ${url}.`, { cause }));
    });
  });
}

function sessionError(error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  if (error instanceof ProtocolError && error.code === BridgeErrorCode.unauthorized)
    return new SessionError("unauthorized", error.message, { cause: error });
  if (error instanceof ProtocolError && error.code === BridgeErrorCode.versionMismatch)
    return new SessionError("versionMismatch", error.message, { cause: error });
  if (error instanceof ProtocolError && error.code < -32000 && error.code > -32100)
    return new SessionError("refused", error.message, { cause: error });
  return new SessionError("unreachable", `The trainer did not answer: ${errorLine(error)}`, { cause: error });
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1000} s`)), milliseconds);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
