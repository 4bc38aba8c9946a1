// A bridge for the demo and for development: starts it, asks it things, stops it with its engine.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type BridgeClient, connectBridge } from "../trainer-bridge/cli/bridgeClient.ts";
import { freePort } from "./freePort.ts";
import { type ProcessGroup, startGroup } from "./processGroup.ts";
import { root } from "./setup/cache.mjs";

/** A running bridge and a client connected to it. */
export interface DemoBridge {
  readonly url: string;
  readonly token: string;
  readonly logFile: string;
  readonly client: BridgeClient;
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
      ...["--python", path.join(root, ".venv/bin/python"), "--exit-with-parent"],
    ],
    cwd: root,
    logFile,
    endsWithParent: true,
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
      const client = token === "" ? undefined : await connectBridge(url, token, "demo").catch(unlessRefused);
      if (client !== undefined) {
        const close = async () => {
          await client.close();
          await group.stop(15_000);
        };
        return { url, token, logFile, client, group, close };
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

/** A bridge that is not listening yet is asked again; every other error is one. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED") return undefined;
  throw error;
}
