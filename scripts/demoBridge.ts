// A bridge for the demo and for development: starts it, asks it things, stops it with its engine.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createMessageConnection, ProgressType, ResponseError } from "vscode-jsonrpc/node";
import { WebSocket } from "ws";
import { bridgeContract, PROTOCOL_VERSION } from "../src/protocol/bridge.ts";
import { wireOf } from "../src/protocol/connection.ts";
import { type Client, client } from "../src/protocol/rpc.ts";
import { freePort } from "./freePort.ts";
import { type ProcessGroup, startGroup } from "./processGroup.ts";
import { root } from "./setup/cache.mjs";
import { socketStreams } from "./socketStreams.ts";

/** A running bridge and a client connected to it. */
export interface DemoBridge {
  readonly url: string;
  readonly token: string;
  readonly logFile: string;
  readonly client: Client<typeof bridgeContract>;
  readonly group: ProcessGroup;
  close(): Promise<void>;
}

/** Starts `dist/bridge.mjs serve` on this data folder and connects to it. */
export async function startBridge(dataFolder: string, nodeArgs: readonly string[] = []): Promise<DemoBridge> {
  await mkdir(dataFolder, { recursive: true });
  const port = await freePort();
  const tokenFile = path.join(dataFolder, "token");
  const logFile = path.join(dataFolder, "bridge.log");
  await writeFile(logFile, "");
  const group = await startGroup({
    command: process.execPath,
    args: [
      "--disable-warning=ExperimentalWarning",
      ...nodeArgs,
      path.join(root, "dist/bridge.mjs"),
      "serve",
      ...["--data", dataFolder, "--port", String(port), "--token-file", tokenFile],
    ],
    env: { TOUCHLINE_PYTHON: path.join(root, ".venv/bin/python") },
    cwd: root,
    logFile,
  });
  const url = `ws://127.0.0.1:${port}`;
  const state = { hasEnded: false };
  void group.ended.then(() => {
    state.hasEnded = true;
  });
  try {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const token = existsSync(tokenFile) ? readFileSync(tokenFile, "utf8").trim() : "";
      const socket = token === "" ? undefined : await open(url);
      if (socket !== undefined) {
        const asking = await connect(socket, token);
        const close = async () => {
          socket.close();
          await group.stop(15_000);
        };
        return { url, token, logFile, client: asking, group, close };
      }
      if (state.hasEnded || Date.now() > deadline) {
        const log = readFileSync(logFile, "utf8").slice(-3000);
        throw new Error(`The bridge ${state.hasEnded ? "ended" : "did not answer"} while starting:\n${log}`);
      }
      await wait(100);
    }
  } catch (error) {
    await group.stop();
    throw error;
  }
}

function open(url: string): Promise<WebSocket | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.once("open", () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}

async function connect(socket: WebSocket, token: string): Promise<Client<typeof bridgeContract>> {
  const { reader, writer } = socketStreams(socket);
  const connection = createMessageConnection(reader, writer);
  const asking = client(
    wireOf(connection, { ResponseError, ProgressType }, (message, error) => console.error(message, error)),
    bridgeContract,
  );
  connection.listen();
  await asking.request("initialize", { protocolVersion: PROTOCOL_VERSION, client: "demo", token });
  return asking;
}
