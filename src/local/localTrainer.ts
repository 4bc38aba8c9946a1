// The trainer on this machine: one bridge for all windows, started by the first that asks, found by the others.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { type Ending, Listeners } from "../listeners.ts";
import { errorLine, type Log } from "../log.ts";
import { SessionError, type Target } from "../sessionError.ts";
import type { BridgeProcess } from "./bridgeProcess.ts";

/** What a local trainer is made of. Paths are absolute. */
export interface LocalTrainerOptions {
  /** Binary that runs JavaScript: VS Code's own. */
  readonly node: string;
  /** dist/bridge.mjs. */
  readonly script: string;
  /** Folder of the store, and of the file that other windows read. */
  readonly folder: string;
  /** Weights the policies start from. */
  readonly base: string;
  readonly log: Log;
}

/** The local trainer; `find` starts it where it does not run. */
export interface LocalTrainer {
  /** Python with the engine's packages; null leaves the engine out: reading and review work, training does not. */
  python: string | null;
  readonly isOwn: boolean;
  find(): Promise<Target>;
  stop(): Promise<void>;
  /** It ended although nobody asked. */
  readonly onCrash: (listener: (why: string) => void) => Ending;
}

const CRASHES_ALLOWED = 3;
const CRASH_WINDOW_MS = 60_000;

/** Prepares the local trainer without starting it. */
export function openLocalTrainer({ node, script, folder, base, log }: LocalTrainerOptions): LocalTrainer {
  const crashListeners = new Listeners<string>((error) => log.error(`local trainer: ${errorLine(error)}`));
  const sharedFile = path.join(folder, "local-trainer.json");
  let own: BridgeProcess | null = null;
  let starting: Promise<Target> | null = null;
  let crashes: number[] = [];
  let isStopping = false;

  async function start(): Promise<Target> {
    const theirs = await running();
    if (theirs !== null) return theirs;
    crashes = crashes.filter((at) => Date.now() - at < CRASH_WINDOW_MS);
    if (crashes.length >= CRASHES_ALLOWED) {
      crashes = [];
      throw new SessionError(
        "refused",
        `The local trainer ended ${CRASHES_ALLOWED} times within a minute. What it acknowledged is in its store. See the log, then start it again.`,
      );
    }
    mkdirSync(folder, { recursive: true });
    const engine = trainer.python === null ? ["--engine", "none"] : ["--engine", "auto", "--python", trainer.python];
    const args = [
      script,
      "serve",
      "--data",
      path.join(folder, "store"),
      ...engine,
      "--base",
      base,
      "--exit-with-parent",
    ];
    const { startBridgeProcess } = await import("./bridgeProcess.ts");
    const bridge = await startBridgeProcess(node, args, process.env, log).catch((cause: unknown) => {
      throw new SessionError("refused", errorLine(cause), { cause });
    });
    own = bridge;
    writeFileSync(sharedFile, JSON.stringify({ url: bridge.url, tokenFile: bridge.tokenFile, pid: bridge.pid }), {
      mode: 0o600,
    });
    void bridge.ended.then(({ why }) => {
      if (own === bridge) own = null;
      if (isStopping) return;
      crashes.push(Date.now());
      crashListeners.tell(why);
    });
    return targetOf(bridge.url, bridge.tokenFile);
  }

  /** The bridge of another window, where one listens. */
  async function running(): Promise<Target | null> {
    try {
      const { Shared } = await import("./listening.ts");
      const { url, tokenFile } = Shared.parse(JSON.parse(readFileSync(sharedFile, "utf8")));
      return (await listens(url)) ? targetOf(url, tokenFile) : null;
    } catch (error) {
      log.debug(`local trainer: none is running: ${errorLine(error)}`);
      return null;
    }
  }

  const trainer: LocalTrainer = {
    python: null,
    get isOwn() {
      return own !== null;
    },
    find() {
      if (own !== null) return Promise.resolve(targetOf(own.url, own.tokenFile));
      starting ??= start().finally(() => {
        starting = null;
      });
      return starting;
    },
    async stop() {
      isStopping = true;
      try {
        await starting?.catch(() => undefined);
        if (own === null) return;
        await own.stop();
        own = null;
        rmSync(sharedFile, { force: true });
      } finally {
        isStopping = false;
      }
    },
    onCrash: crashListeners.add,
  };
  return trainer;
}

function targetOf(url: string, tokenFile: string): Target {
  return { url, token: readFileSync(tokenFile, "utf8").trim() };
}

function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = net.connect({ host: hostname, port: Number(port), timeout: 1000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
    socket.once("timeout", () => settle(false));
  });
}
