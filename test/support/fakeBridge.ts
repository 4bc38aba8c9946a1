// A bridge for tests: the real wire over a real WebSocket, answers given by the test.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createMessageConnection, ProgressType, ResponseError } from "vscode-jsonrpc/node";
import { type WebSocket, WebSocketServer } from "ws";
import { BridgeErrorCode, bridgeContract } from "../../src/protocol/bridge.ts";
import { wireOf } from "../../src/protocol/connection.ts";
import type { Params, Result } from "../../src/protocol/contract.ts";
import type { Event } from "../../src/protocol/model.ts";
import { announce, answer, type Handlers, ProtocolError } from "../../src/protocol/rpc.ts";
import { SocketReader, SocketWriter } from "../../src/socketMessages.ts";

type Bridge = typeof bridgeContract;

/** What a test may change, and see. */
export interface FakeBridge {
  readonly url: string;
  bridgeId: string;
  lastSeq: number;
  /** Subscriptions after a smaller number meet a gap. */
  firstSeq: number;
  readonly subscribedAfter: number[];
  /** Every `override/set` that arrived. */
  readonly overrides: Params<Bridge, "override/set">[];
  onOverride: (params: Params<Bridge, "override/set">) => Promise<Result<Bridge, "override/set">>;
  announce(events: Event[]): Promise<void>;
  resync(): Promise<void>;
  /** Cuts every connection, as a killed bridge does; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback; the token is `secret`. */
export async function startFakeBridge(port = 0): Promise<FakeBridge> {
  const server = new WebSocketServer({ host: "127.0.0.1", port });
  await once(server, "listening");
  const sockets = new Map<WebSocket, ReturnType<typeof announce<Bridge>>>();
  const fake: FakeBridge = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bridgeId: "store-1",
    lastSeq: 10,
    firstSeq: 1,
    subscribedAfter: [],
    overrides: [],
    onOverride: async () => {
      throw new ProtocolError(BridgeErrorCode.notFound, "No such action.");
    },
    announce: async (events) => {
      fake.lastSeq = events.at(-1)?.seq ?? fake.lastSeq;
      await Promise.all([...sockets.values()].map((tell) => tell("event/batch", { events })));
    },
    resync: async () => {
      await Promise.all(
        [...sockets.values()].map((tell) => tell("event/resync", { lastSeq: fake.lastSeq, message: "too slow" })),
      );
    },
    cut: () => {
      for (const socket of sockets.keys()) socket.terminate();
    },
    close: async () => {
      fake.cut();
      server.close();
      await once(server, "close");
    },
  };
  server.on("connection", (socket) => {
    const connection = createMessageConnection(new SocketReader(socket), new SocketWriter(socket));
    const wire = wireOf(connection, { ResponseError, ProgressType }, () => undefined);
    answer(wire, bridgeContract, handlersOf(fake));
    sockets.set(socket, announce(wire, bridgeContract));
    socket.on("close", () => {
      sockets.delete(socket);
      connection.dispose();
    });
    connection.listen();
  });
  return fake;
}

function handlersOf(fake: FakeBridge): Handlers<Bridge> {
  const handlers: Partial<Handlers<Bridge>> = {
    initialize: ({ token, protocolVersion }) => {
      if (token !== "secret") throw new ProtocolError(BridgeErrorCode.unauthorized, "The token is wrong.");
      const { bridgeId, lastSeq, firstSeq } = fake;
      return {
        protocolVersion,
        bridgeVersion: "0",
        bridgeId,
        capabilities: ["read", "override", "control", "import"],
        lastSeq,
        firstSeq,
      };
    },
    "event/subscribe": ({ afterSeq }) => {
      fake.subscribedAfter.push(afterSeq);
      return { gap: afterSeq < fake.firstSeq - 1, lastSeq: fake.lastSeq };
    },
    "override/set": (params) => {
      fake.overrides.push(params);
      return fake.onOverride(params);
    },
    // Never answered: what waits for it shows how a request ends with its wire.
    "status/get": () => new Promise<never>(() => undefined),
  };
  return new Proxy(handlers, {
    get: (known, method: string) =>
      known[method as keyof typeof known] ??
      (() => {
        throw new ProtocolError(-32601, `The fake bridge has no ${method}.`);
      }),
  }) as Handlers<Bridge>;
}
