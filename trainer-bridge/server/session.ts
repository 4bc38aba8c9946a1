// One client's connection: gate, JSON-RPC, handlers and subscription, and all that ends with it.
import { setImmediate as nextTurn } from "node:timers/promises";
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
import type { WebSocket } from "ws";
import { BridgeErrorCode, bridgeContract } from "../../src/protocol/bridge.ts";
import { wireOf } from "../../src/protocol/connection.ts";
import { announce, answer } from "../../src/protocol/rpc.ts";
import { type Gate, openGate } from "./gate.ts";
import { capabilityOf, handlersFor } from "./handlers.ts";
import type { Limits } from "./limits.ts";
import type { Rooms } from "./rooms.ts";
import { openSubscription, type Subscription } from "./subscription.ts";
import { openUploads } from "./uploads.ts";

/** A running session. */
export interface Session {
  /** Ends every pending request with this error, then closes the socket with 1001. */
  stop(message: string): Promise<void>;
}

class GateReader extends AbstractMessageReader {
  #deliver: DataCallback = () => undefined;
  listen(callback: DataCallback): { dispose(): void } {
    this.#deliver = callback;
    return { dispose: () => undefined };
  }
  deliver(message: Message): void {
    this.#deliver(message);
  }
}

class GateWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #gate: () => Gate;
  constructor(gate: () => Gate) {
    super();
    this.#gate = gate;
  }
  write(message: Message): Promise<void> {
    return this.#gate().send(message);
  }
  end(): void {}
}

/** Serves one socket until it closes; `onEnd` is called once, then. */
export function openSession(
  socket: WebSocket,
  rooms: Rooms,
  token: string | null,
  limits: Limits,
  onEnd: () => void,
): Session {
  const { log, store } = rooms;
  let capabilities: readonly string[] | null = null;
  let subscription: Subscription | null = null;
  let isEnded = false;
  let isStopping = false;
  const uploads = openUploads(rooms.uploadsDir, limits);
  const reader = new GateReader();
  const writer = new GateWriter(() => gate);
  const gate = openGate({
    socket,
    limits,
    methods: Object.keys(bridgeContract.requests),
    refusal,
    deliver: (message) => reader.deliver(message),
    log,
  });
  const connection = createMessageConnection(reader, writer, {
    error: (message) => log(message),
    warn: (message) => log(message),
    info: () => undefined,
    log: () => undefined,
  });
  const wire = wireOf(connection, { ResponseError, ProgressType }, log);
  const tell = announce(wire, bridgeContract);
  const unsent = (error: unknown) => {
    if (!isEnded) log("A message could not be sent.", error);
  };

  const registrations = answer(
    wire,
    bridgeContract,
    handlersFor(rooms, {
      token,
      uploads,
      admit(client, granted) {
        clearTimeout(initializeTimer);
        capabilities = granted;
        log(`${client} connected (${granted.join(", ")}).`);
      },
      dismiss(reason) {
        log(`A client was refused: ${reason}.`);
        void nextTurn()
          .then(() => nextTurn())
          .then(() => socket.close(1008, reason));
      },
      subscribe(afterSeq) {
        subscription?.dispose();
        subscription = openSubscription({
          store,
          afterSeq,
          limits,
          send: (events) => tell("event/batch", { events }),
          onResync(message) {
            tell("event/resync", { lastSeq: store.lastSeq(), message }).catch(unsent);
          },
          onError: unsent,
        });
      },
      unsubscribe() {
        subscription?.dispose();
        subscription = null;
      },
    }),
  );
  connection.onUnhandledNotification(() => undefined);
  connection.listen();

  const initializeTimer = setTimeout(
    () => refuseAll(BridgeErrorCode.notInitialized, `No initialize came within ${limits.initializeMs} ms.`, 1008),
    limits.initializeMs,
  );
  let isAlive = true;
  const pings = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, limits.pingMs);

  socket.on("message", (data, isBinary) => {
    isAlive = true;
    if (!isStopping) gate.receive(asBuffer(data), isBinary);
  });
  socket.on("pong", () => {
    isAlive = true;
  });
  socket.on("error", (error) => log("A client's socket failed.", error));
  socket.on("close", end);
  return { stop };

  function refusal(method: string): { code: number; message: string } | null {
    if (capabilities === null) {
      if (method === "initialize") return null;
      return {
        code: BridgeErrorCode.notInitialized,
        message: `${method} came before initialize was answered. Send initialize first.`,
      };
    }
    if (method === "initialize")
      return { code: BridgeErrorCode.refused, message: "This connection is initialized already." };
    const needed = capabilityOf(method);
    if (needed === null || capabilities.includes(needed)) return null;
    return {
      code: BridgeErrorCode.refused,
      message: `${method} needs the capability "${needed}", which this client did not ask for in initialize.`,
    };
  }

  function refuseAll(code: number, message: string, closeCode: number): void {
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message } }));
    socket.close(closeCode, message);
  }

  async function stop(message: string): Promise<void> {
    if (isEnded || isStopping) return;
    isStopping = true;
    subscription?.dispose();
    gate.endAll(BridgeErrorCode.unavailable, message);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    await nextTurn();
    socket.resume();
    socket.close(1001, "The bridge is stopping.");
    const timer = setTimeout(() => socket.terminate(), 1_000);
    await closed;
    clearTimeout(timer);
  }

  function end(): void {
    if (isEnded) return;
    isEnded = true;
    clearTimeout(initializeTimer);
    clearInterval(pings);
    subscription?.dispose();
    uploads.dispose();
    gate.endAll(BridgeErrorCode.unavailable, "The connection ended.");
    // The cancellations above are handled on later turns; then nothing of this connection is left.
    setTimeout(() => {
      registrations.dispose();
      connection.dispose();
    }, 100).unref();
    onEnd();
  }
}

function asBuffer(data: unknown): Buffer {
  if (Buffer.isBuffer(data)) return data;
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  return Buffer.concat(data as Buffer[]);
}
