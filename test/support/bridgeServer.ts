// A real bridge server over a real store for a test, with a fake trainer, and sockets of every manner.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type ClientOptions, WebSocket } from "ws";
import { type BridgeClient, connectBridge } from "../../trainer-bridge/cli/bridgeClient.ts";
import type { Limits } from "../../trainer-bridge/server/limits.ts";
import type { Importer, TrainerDoor } from "../../trainer-bridge/server/rooms.ts";
import { type Server, startServer } from "../../trainer-bridge/server/server.ts";
import { newToken } from "../../trainer-bridge/server/token.ts";
import { fakeAction, fakeRun, fakeScore, fakeTrajectory } from "../../trainer-bridge/store/fakeRecords.ts";
import { openStore, type Store } from "../../trainer-bridge/store/store.ts";

/** A served store and all that was opened with it. */
export interface TestBridge {
  readonly dir: string;
  readonly store: Store;
  readonly server: Server;
  readonly token: string;
  readonly logged: string[];
  /** An initialized client. */
  connect(): Promise<BridgeClient>;
  /** A bare socket that collects the messages it gets. */
  socket(options?: ClientOptions): Promise<BareSocket>;
  close(): Promise<void>;
}

/** A WebSocket without JSON-RPC: what is sent and what came back, as they are. */
export interface BareSocket {
  readonly socket: WebSocket;
  send(message: unknown): void;
  /** The next message that fits; fails after `timeoutMs`. */
  next(fits?: (message: Reply) => boolean, timeoutMs?: number): Promise<Reply>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** Any JSON-RPC message as it comes. */
export interface Reply {
  id?: number | string | null;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { code: number; message: string; data?: Record<string, unknown> };
}

/** Serves a new store in a temporary folder. */
export async function startTestBridge(
  options: {
    limits?: Partial<Limits>;
    trainer?: Partial<TrainerDoor>;
    importer?: Importer;
    fill?: (store: Store) => void;
  } = {},
): Promise<TestBridge> {
  const dir = mkdtempSync(path.join(tmpdir(), "touchline-bridge-"));
  const store = openStore(dir);
  options.fill?.(store);
  const token = newToken();
  const logged: string[] = [];
  const server = await startServer({
    store,
    trainer: { ...fakeTrainer(store), ...options.trainer },
    importer: options.importer ?? (() => ({ format: null, run: null, trajectories: [], problems: [] })),
    log: (message) => void logged.push(message),
    version: "0.0.0-test",
    uploadsDir: path.join(dir, "uploads"),
    token,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const open: { terminate(): void }[] = [];
  return {
    dir,
    store,
    server,
    token,
    logged,
    async connect() {
      const client = await connectBridge(server.url, token, "a test");
      open.push(client.socket);
      return client;
    },
    async socket(socketOptions) {
      const bare = await bareSocket(server.url, socketOptions);
      open.push(bare.socket);
      return bare;
    },
    async close() {
      for (const socket of open) socket.terminate();
      await server.close();
      store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Puts run-1 with trajectory-1 of `count` actions, each with a score of 6, into the store. */
export function fillStore(store: Store, count: number): void {
  store.createRun(fakeRun());
  store.addTrajectory(fakeTrajectory("trajectory-1"));
  for (let index = 0; index < count; index++) {
    const action = fakeAction(`action-${index}`, "trajectory-1", index);
    store.addAction(action, null, [fakeScore(`score-${index}`, action, 6)]);
  }
}

async function bareSocket(url: string, options: ClientOptions = {}): Promise<BareSocket> {
  const socket = new WebSocket(url, options);
  const messages: Reply[] = [];
  let wake: () => void = () => undefined;
  socket.on("message", (data) => {
    messages.push(JSON.parse(String(data)));
    wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => undefined);
  return {
    socket,
    closed,
    send: (message) =>
      socket.send(typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message)),
    async next(fits = () => true, timeoutMs = 3_000) {
      const end = Date.now() + timeoutMs;
      for (;;) {
        const place = messages.findIndex(fits);
        if (place >= 0) return messages.splice(place, 1)[0] as Reply;
        if (Date.now() > end)
          throw new Error(`No such message came; there are ${JSON.stringify(messages).slice(0, 500)}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 50);
        });
      }
    },
  };
}

/** A trainer without an engine: runs are made, everything else is refused or plain. */
export function fakeTrainer(store: Store): TrainerDoor {
  const none = () => Promise.reject(new Error("The fake trainer has no iterations."));
  return {
    status: () => ({
      engine: { state: "none", message: "No engine.", device: null },
      sandbox: { state: "refused", message: "No sandbox." },
      coach: { name: "rule", message: "" },
      activeIteration: null,
    }),
    createRun: ({ name, workflow }) => store.createRun({ ...fakeRun(`run-${name}`), name, workflow }),
    rollout: none,
    start: none,
    pause: none,
    resume: none,
    cancel: none,
    reviewed: none,
    fate: (score) => ({
      scoreId: score.id,
      actionId: score.actionId,
      state: "queued",
      iterationId: null,
      iterationIndex: null,
      policyVersion: null,
      checkpointSha256: null,
      message: "Waits for the next iteration.",
    }),
    preview: () => ({ advantageBefore: null, advantageAfter: null, batchSize: 0, message: "No batch." }),
  };
}
