// A local engine: starts the Python process, waits until it is ready, starts it again when it dies, and stops it.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { connectEngine, type EngineClient, EngineError, untilReady } from "./engineClient.ts";

/** What a local engine needs. Paths are absolute. */
export interface EngineOptions {
  /** The Python that has the engine's packages. */
  readonly python: string;
  /** The folder that holds the `touchline_engine` package. */
  readonly engineDir: string;
  /** Where the engine keeps its adapters and checkpoints. */
  readonly stateDir: string;
  /** The base policy: a folder with config.json and safetensors. */
  readonly base: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Told of every change, to be announced as an event. */
  readonly announce: (state: "starting" | "ready" | "stopped" | "failed", message: string) => void;
  readonly log: (message: string) => void;
}

/** A running local engine. `client` follows it over restarts. */
export interface EngineProcess {
  readonly client: EngineClient;
  /** The process id now; null while there is none. */
  pid(): number | null;
  /** Stops the process and waits for its end; harmless a second time. */
  close(): Promise<void>;
}

const RESTART_DELAYS_MS = [0, 250, 1000, 3000, 8000];
const START_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 3000;
/** An engine that has lived this long has earned a full series of restarts again. */
const STABLE_MS = 30_000;
const ERROR_LINES_KEPT = 30;

/** Starts the engine; the promise settles when it is ready or every attempt has failed (`EngineError` with its last words). */
export async function startEngine(options: EngineOptions): Promise<EngineProcess> {
  const engine = superviseEngine(options);
  try {
    await engine.client.ready();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

/** As `startEngine`, but answers at once; `client.ready()` waits and tells what went wrong. */
export function superviseEngine(options: EngineOptions): EngineProcess {
  let child: ChildProcess | null = null;
  let address: string | null = null;
  let isClosed = false;
  let starting: Promise<void> | null = null;

  const presentAddress = () => {
    if (address === null) throw new EngineError("unreachable", "The engine is not running.");
    return address;
  };
  const client: EngineClient = connectEngine(presentAddress, {
    async ready(signal) {
      const wait = starting ?? (address === null ? start() : untilReady(client, START_TIMEOUT_MS, signal));
      await (signal ? Promise.race([wait, rejectOnAbort(signal)]) : wait);
    },
  });

  function start(): Promise<void> {
    if (isClosed) return Promise.reject(new EngineError("unreachable", "The engine was stopped."));
    starting ??= startSeries().finally(() => {
      starting = null;
    });
    starting.catch((error: unknown) => options.log(`engine: ${String(error)}`));
    return starting;
  }

  async function startSeries(): Promise<void> {
    let last: EngineError | null = null;
    for (const delayMs of RESTART_DELAYS_MS) {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (isClosed) break;
      options.announce("starting", "The engine is starting.");
      try {
        await startOnce();
        options.announce("ready", "The engine is ready.");
        return;
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        last = error;
        options.log(`engine: start failed: ${error.message}`);
      }
    }
    const failure = last ?? new EngineError("unreachable", "The engine was stopped.");
    if (!isClosed) options.announce("failed", failure.message);
    throw failure;
  }

  async function startOnce(): Promise<void> {
    const lastWords: string[] = [];
    const args = ["-m", "touchline_engine", "--host", "127.0.0.1", "--port", "0"];
    args.push("--state-dir", options.stateDir, "--base", options.base, "--exit-with-parent", ...(options.args ?? []));
    // stdin stays open for as long as this process lives; its end tells the engine to go.
    const process_ = spawn(options.python, args, {
      cwd: options.engineDir,
      stdio: ["pipe", "pipe", "pipe"],
      // Few arenas: glibc would otherwise keep freed activations apart for each thread.
      env: { ...process.env, PYTHONUNBUFFERED: "1", MALLOC_ARENA_MAX: "2", ...options.env },
    });
    child = process_;
    const startedAt = Date.now();
    const ended = new Promise<never>((_, reject) => {
      process_.once("error", (cause) => {
        reject(
          new EngineError("failed", `Python could not be started (${options.python}): ${cause.message}`, { cause }),
        );
      });
      process_.once("exit", (code, signal) => {
        reject(new EngineError("unreachable", exitMessage(code, signal, lastWords)));
      });
    });
    ended.catch(() => onEnd(process_, startedAt));
    createInterface({ input: process_.stderr }).on("line", (line) => {
      lastWords.push(line);
      if (lastWords.length > ERROR_LINES_KEPT) lastWords.shift();
      options.log(`engine: ${line}`);
    });
    const listening = new Promise<string>((resolve) => {
      createInterface({ input: process_.stdout }).on("line", (line) => {
        const port = listeningPort(line);
        if (port !== null) resolve(`http://127.0.0.1:${port}`);
        options.log(`engine: ${line}`);
      });
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new EngineError("timeout", `The engine was not ready within ${START_TIMEOUT_MS / 1000} s.`);
      timer = setTimeout(() => reject(error), START_TIMEOUT_MS);
    });
    try {
      const found = await Promise.race([listening, ended, late]);
      const probe = connectEngine(found);
      await Promise.race([untilReady(probe, START_TIMEOUT_MS), ended, late]);
      address = found;
    } catch (error) {
      process_.kill("SIGKILL");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  let quickDeaths = 0;
  function onEnd(ended: ChildProcess, startedAt: number): void {
    if (child !== ended) return;
    child = null;
    const wasReady = address !== null;
    address = null;
    if (isClosed || starting !== null || !wasReady) return;
    quickDeaths = Date.now() - startedAt < STABLE_MS ? quickDeaths + 1 : 0;
    options.announce("stopped", "The engine ended by itself; it is being started again. Nothing acknowledged is lost.");
    // A process that dies soon after each start waits longer each time, so that it cannot burn the machine.
    const delayMs = Math.min(10_000, 100 * 2 ** Math.min(quickDeaths, 7));
    starting = new Promise((resolve) => setTimeout(resolve, delayMs)).then(startSeries).finally(() => {
      starting = null;
    });
    starting.catch((error: unknown) => options.log(`engine: ${String(error)}`));
  }

  void start().catch(() => undefined);

  return {
    client,
    pid: () => child?.pid ?? null,
    async close() {
      const first = !isClosed;
      isClosed = true;
      const running = child;
      address = null;
      if (running && running.exitCode === null && running.signalCode === null) {
        const gone = new Promise<void>((resolve) => running.once("exit", () => resolve()));
        running.kill("SIGTERM");
        const timer = setTimeout(() => running.kill("SIGKILL"), STOP_GRACE_MS);
        await gone;
        clearTimeout(timer);
      }
      if (first) options.announce("stopped", "The engine was stopped.");
    },
  };
}

/** The port in the engine's line `{"event": "listening", "port": N}`; null for any other line. */
export function listeningPort(line: string): number | null {
  const found = /^\s*\{.*"event"\s*:\s*"listening".*"port"\s*:\s*(\d+)/.exec(line);
  return found === null ? null : Number(found[1]);
}

function exitMessage(code: number | null, signal: string | null, lastWords: readonly string[]): string {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const words = lastWords.slice(-5).join("\n").trim();
  return `The engine ended ${how}.${words ? ` Its last words:\n${words}` : ""}`;
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(new EngineError("cancelled", "Waiting for the engine was cancelled."));
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}
