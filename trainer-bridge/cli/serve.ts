// touchline serve: opens the rooms, listens, tells where, and ends cleanly when asked or when its parent is gone.
import { readFileSync } from "node:fs";
import path from "node:path";
import { startServer } from "../server/server.ts";
import { tokenIn } from "../server/token.ts";
import { publishAddress } from "./address.ts";
import { connectToRunning } from "./bridge.ts";
import { openRooms, type RoomSettings } from "./rooms.ts";
import { type CommandOf, UsageError, wholeNumber } from "./usage.ts";

/** Time that closing may take before the process ends anyway. */
const CLOSING_MS = 15_000;

/** Serves until SIGINT, SIGTERM, or the parent's end; the exit code. */
export async function serve({ values }: CommandOf<"serve">, settings: RoomSettings): Promise<number> {
  const { log } = settings;
  const dir = path.resolve(settings.dir);
  const port = wholeNumber("port", values.port, 0, 65_535);
  const tls = tlsOf(values);
  const running = await connectToRunning(dir).catch(() => null);
  if (running !== null) {
    await running.close();
    throw new Error(`A bridge is serving ${dir} already. Connect to that one, or stop it first.`);
  }
  const asked = whenAsked(values["exit-with-parent"], log);
  const rooms = await openRooms({ ...settings, isResuming: true });
  try {
    const tokenFile = path.resolve(values["token-file"] ?? path.join(dir, "token"));
    const server = await startServer({
      ...rooms.forServer,
      host: values.host,
      port,
      token: tokenIn(tokenFile),
      isInsecureAllowed: values["insecure-listen"],
      ...(tls === null ? {} : { tls }),
    });
    const address = publishAddress(dir, {
      url: server.url,
      tokenFile,
      pid: process.pid,
      version: settings.version,
      startedAt: new Date().toISOString(),
    });
    process.stdout.write(`${JSON.stringify({ event: "listening", url: server.url, tokenFile })}\n`);
    log(`Listening on ${server.url}; the token is in ${tokenFile}.`);
    try {
      log(`Stopping: ${await asked}.`);
    } finally {
      setTimeout(() => {
        log("Closing took too long; ending now. What was acknowledged is on disk.");
        process.exit(1);
      }, CLOSING_MS).unref();
      address.dispose();
      await server.close();
    }
  } finally {
    await rooms.close();
  }
  log("Stopped.");
  return 0;
}

/** Resolves with the reason to stop. A second Ctrl+C ends the process at once. */
function whenAsked(isChild: boolean, log: RoomSettings["log"]): Promise<string> {
  return new Promise((resolve) => {
    let isAsked = false;
    const ask = (reason: string) => {
      if (isAsked && reason === "SIGINT") process.exit(130);
      isAsked = true;
      resolve(reason);
    };
    process.on("SIGINT", () => ask("SIGINT"));
    process.on("SIGTERM", () => ask("SIGTERM"));
    process.on("SIGHUP", () => ask("SIGHUP"));
    if (!isChild) return;
    process.stdin.on("error", (error) => log("stdin failed.", error));
    process.stdin.on("close", () => ask("the parent process is gone"));
    process.stdin.on("end", () => ask("the parent process is gone"));
    process.stdin.resume();
  });
}

function tlsOf(values: CommandOf<"serve">["values"]): { cert: string; key: string } | null {
  const { "tls-cert": cert, "tls-key": key } = values;
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined) throw new UsageError("--tls-cert and --tls-key go together.");
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}
