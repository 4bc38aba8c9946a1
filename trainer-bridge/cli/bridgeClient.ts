// A client of the bridge wire for the command line: one WebSocket, initialized, whose requests all end when it ends.
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  createMessageConnection,
  type DataCallback,
  type Message,
  type MessageWriter,
  ProgressType,
  ResponseError,
} from "vscode-jsonrpc/node";
import { WebSocket } from "ws";
import { bridgeContract, PROTOCOL_VERSION } from "../../src/protocol/bridge.ts";
import { wireOf } from "../../src/protocol/connection.ts";
import type { Result } from "../../src/protocol/contract.ts";
import { type Client, client } from "../../src/protocol/rpc.ts";

/** A connected client. */
export interface BridgeClient extends Client<typeof bridgeContract> {
  /** What the bridge answered to `initialize`. */
  readonly welcome: Result<typeof bridgeContract, "initialize">;
  readonly socket: WebSocket;
  /** Resolves with the close code and reason when the connection has ended. */
  readonly ended: Promise<{ code: number; reason: string }>;
  close(): Promise<void>;
}

class FrameReader extends AbstractMessageReader {
  readonly #socket: WebSocket;
  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on("close", () => this.fireClose());
  }
  listen(callback: DataCallback): { dispose(): void } {
    const onMessage = (data: unknown) => callback(JSON.parse(String(data)));
    this.#socket.on("message", onMessage);
    return { dispose: () => void this.#socket.off("message", onMessage) };
  }
}

class FrameWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #socket: WebSocket;
  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
  }
  write(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve()));
    });
  }
  end(): void {}
}

/** Connects and initializes; throws where the bridge cannot be reached or refuses. */
export async function connectBridge(
  url: string,
  token: string,
  name: string,
  timeoutMs = 5_000,
): Promise<BridgeClient> {
  const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: timeoutMs });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => undefined);
  const ended = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  const connection = createMessageConnection(new FrameReader(socket), new FrameWriter(socket), {
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    log: () => undefined,
  });
  const ask = client(
    wireOf(connection, { ResponseError, ProgressType }, () => undefined),
    bridgeContract,
  );
  connection.listen();
  void ended.then(() => connection.dispose());
  const close = async () => {
    if (socket.readyState !== WebSocket.CLOSED) socket.close(1000);
    const timer = setTimeout(() => socket.terminate(), 1_000);
    await ended;
    clearTimeout(timer);
  };
  try {
    const welcome = await ask.request("initialize", { protocolVersion: PROTOCOL_VERSION, client: name, token });
    return { ...ask, welcome, socket, ended, close };
  } catch (error) {
    await close();
    throw error;
  }
}
