// The bridge as its clients meet it: overrides over a loopback WebSocket, its memory, and imports, with many actions in the store.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import * as esbuild from "esbuild";
import { type BridgeClient, connectBridge } from "../trainer-bridge/cli/bridgeClient.ts";
import { upload } from "../trainer-bridge/cli/importFiles.ts";
import type { Figure } from "./figure.ts";
import { fillStore } from "./support/largeStore.ts";

const OVERRIDES = 1_000;
const IMPORTED_CHATS = 1_000;
const ACTIONS_PER_CHAT = 20;

/** Measures a bridge process over a store of `actionCount` actions in a temporary folder. */
export async function run(actionCount = 100_000): Promise<Figure[]> {
  const dir = mkdtempSync(path.join(tmpdir(), "bench-wire-"));
  try {
    const data = path.join(dir, "data");
    fillStore(data, actionCount);
    const bridge = await startBridge(dir, data);
    try {
      const client = await connectBridge(bridge.url, readFileSync(bridge.tokenFile, "utf8").trim(), "bench");
      const size = `${(actionCount / 1000).toLocaleString("en")}k actions`;
      const reads = await read(client);
      const overrides = await override(client, actionCount);
      const rss = residentMegabytes(bridge.child);
      const perSecond = await importChats(client);
      const rssAfter = residentMegabytes(bridge.child);
      await client.close();
      return [
        figure(`override acknowledged over WebSocket, p50, ${size}`, percentile(overrides, 0.5), "ms", "< 20"),
        figure(`override acknowledged over WebSocket, p99, ${size}`, percentile(overrides, 0.99), "ms", "< 20"),
        figure(`first 50 actions of a trajectory over WebSocket, p99, ${size}`, percentile(reads, 0.99), "ms", "< 200"),
        figure(`bridge memory, ${size}, read and overridden`, rss, "MB", "< 250"),
        figure(`bridge memory, ${size}, after an import`, rssAfter, "MB", "< 250"),
        figure(`import over WebSocket, chats, durable`, perSecond, "actions/s", ">= 5000"),
      ];
    } finally {
      await stop(bridge.child);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function figure(name: string, value: number, unit: string, goal: string): Figure {
  return { name, value: Math.round(value * 100) / 100, unit, goal, peer: null };
}

interface Bridge {
  readonly child: ChildProcess;
  readonly url: string;
  readonly tokenFile: string;
}

/** Starts the bridge as it is shipped: one bundle on plain Node, without an engine. */
async function startBridge(dir: string, data: string): Promise<Bridge> {
  const root = path.resolve(import.meta.dirname, "..");
  const bundle = path.join(dir, "dist/bridge.mjs");
  mkdirSync(path.dirname(bundle));
  writeFileSync(path.join(dir, "package.json"), JSON.stringify({ version: "0.0.0-bench" }));
  await esbuild.build({
    entryPoints: [path.join(root, "trainer-bridge/main.ts")],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    logLevel: "error",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  const args = [
    "--disable-warning=ExperimentalWarning",
    bundle,
    "serve",
    "--data",
    data,
    "--engine",
    "none",
    "--exit-with-parent",
  ];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { url, tokenFile } = JSON.parse(line) as { url: string; tokenFile: string };
    return { child, url, tokenFile };
  }
  throw new Error("The bridge ended before it listened.");
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

/** Milliseconds of each page of actions, as a viewer asks for them. */
async function read(client: BridgeClient): Promise<number[]> {
  const { items } = await client.request("trajectory/list", { limit: 200 });
  const times: number[] = [];
  for (const { id } of items) {
    const started = performance.now();
    await client.request("action/list", { trajectoryId: id, limit: 50 });
    times.push(performance.now() - started);
  }
  return times;
}

/** Milliseconds of each override, while a subscriber is sent every event of it. */
async function override(client: BridgeClient, actionCount: number): Promise<number[]> {
  await client.request("event/subscribe", { afterSeq: client.welcome.lastSeq });
  const times: number[] = [];
  for (let count = 0; count < OVERRIDES; count++) {
    const actionId = `a-${(count * 7_919) % actionCount}`;
    const asked = {
      requestId: `o-${count}`,
      actionId,
      value: count % 11,
      rationale: "Measured.",
      author: "bench",
      basedOn: `s-${actionId}`,
    };
    const started = performance.now();
    await client.request("override/set", asked);
    times.push(performance.now() - started);
  }
  await client.request("event/unsubscribe", {});
  return times;
}

/** Actions a second from the first byte sent to the last batch committed. */
async function importChats(client: BridgeClient): Promise<number> {
  const chats = Array.from({ length: IMPORTED_CHATS }, (_, place) => {
    const turn = (index: number) => [
      { role: "user", content: `Question ${index} of chat ${place}: what comes next, and why?` },
      {
        role: "assistant",
        content: `Answer ${index} of chat ${place}. ${"It follows from what was said before. ".repeat(8)}`,
      },
    ];
    return JSON.stringify({ messages: Array.from({ length: ACTIONS_PER_CHAT }, (_, index) => turn(index)).flat() });
  });
  const bytes = Buffer.from(chats.join("\n"));
  const started = performance.now();
  const uploadId = await upload(client, "chats.jsonl", bytes);
  const { actions } = await client.request("import/finish", { uploadId });
  if (actions !== IMPORTED_CHATS * ACTIONS_PER_CHAT) throw new Error(`Only ${actions} actions were imported.`);
  return actions / ((performance.now() - started) / 1000);
}

function residentMegabytes(child: ChildProcess): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"));
  return Number(found?.[1]) / 1024;
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
