// The WebSocket door of the bridge: who may come in, and how it closes.
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { BridgeErrorCode } from "../../src/protocol/bridge.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import type { Rooms } from "./rooms.ts";
import { openSession, type Session } from "./session.ts";

/** How the server listens. */
export interface ServerOptions extends Rooms {
  /** Loopback unless TLS is given or `isInsecureAllowed`. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port?: number;
  /** Null lets every local process in; only for tests. */
  readonly token: string | null;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The person accepted that a token crosses the network unencrypted. */
  readonly isInsecureAllowed?: boolean;
  readonly limits?: Partial<Limits>;
}

/** A listening server. */
export interface Server {
  /** `ws://` or `wss://`, with host and port. */
  readonly url: string;
  readonly connectionCount: number;
  /** Stops accepting, ends pending requests with an error, and closes every socket with 1001. */
  close(): Promise<void>;
}

const loopback = new Set(["127.0.0.1", "::1", "localhost"]);

/** Whether this address can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return loopback.has(host) || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Web pages send their Origin and may not come in; VS Code's own pages and programs without one may. */
export function isAllowedOrigin(origin: string | undefined): boolean {
  return origin === undefined || /^vscode-(webview|file):\/\//.test(origin);
}

/** Listens; resolves once clients can connect. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { host = "127.0.0.1", port = 0, tls, token, log } = options;
  const limits: Limits = { ...defaultLimits, ...options.limits };
  if (!isLoopback(host) && tls === undefined && options.isInsecureAllowed !== true) {
    throw new Error(
      `The bridge does not listen on ${host} without encryption: anyone on the network could read its token. Give --tls-cert and --tls-key, use an SSH tunnel to 127.0.0.1, or accept the risk with --insecure-listen.`,
    );
  }
  const http = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  http.on("request", (_request, response) => {
    response.writeHead(426, { "content-type": "text/plain", upgrade: "websocket" });
    response.end("This is the bridge of Touchline. It speaks JSON-RPC 2.0 over WebSocket; see docs/protocol.md.\n");
  });
  const door = new WebSocketServer({
    server: http,
    maxPayload: limits.frameBytes,
    perMessageDeflate: false,
    verifyClient: ({ req }: { req: IncomingMessage }, decide) => {
      const given = req.headers.origin;
      if (isAllowedOrigin(given)) return decide(true);
      log(`A page from ${given?.slice(0, 200)} tried to connect and was refused.`);
      decide(false, 403, "Web pages may not connect to this bridge.");
    },
  });
  const sessions = new Set<Session>();
  let isClosing = false;
  door.on("connection", (socket) => {
    if (isClosing || sessions.size >= limits.connections) {
      socket.on("error", (error) => log("A refused client's socket failed.", error));
      const message = isClosing
        ? "The bridge is stopping."
        : `The bridge has ${limits.connections} connections already. Close one and connect again.`;
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: BridgeErrorCode.tooBusy, message } }));
      socket.close(1013, message);
      return;
    }
    const session: Session = openSession(socket, options, token, limits, () => sessions.delete(session));
    sessions.add(session);
  });
  door.on("error", (error) => log("The server failed.", error));

  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, host, () => {
      http.off("error", reject);
      resolve();
    });
  });
  const address = http.address() as AddressInfo;
  const shownHost = address.family === "IPv6" ? `[${address.address}]` : address.address;
  let closing: Promise<void> | null = null;
  return {
    url: `${tls === undefined ? "ws" : "wss"}://${shownHost}:${address.port}`,
    get connectionCount() {
      return sessions.size;
    },
    close() {
      closing ??= close();
      return closing;
    },
  };

  async function close(): Promise<void> {
    isClosing = true;
    const closed = new Promise<void>((resolve) => http.close(() => resolve()));
    const message = "The bridge is stopping. What was acknowledged is kept; connect again when it runs.";
    await Promise.all([...sessions].map((session) => session.stop(message)));
    for (const socket of door.clients) socket.terminate();
    door.close();
    http.closeAllConnections();
    await closed;
  }
}
