// Makes a fresh clone ready: npm packages, the engine's Python, a VS Code host. Runs on Node 20 with nothing installed.
import { fileURLToPath } from "node:url";
import { cacheFolder } from "./setup/cache.mjs";
import { SetupError, say } from "./setup/execute.mjs";
import { ensureHost } from "./setup/host.mjs";
import { acquireLock } from "./setup/lock.mjs";
import { ensureNpmPackages } from "./setup/npmPackages.mjs";
import { ensurePython } from "./setup/python.mjs";
import { ensureSystemPackages } from "./setup/systemPackages.mjs";

/** All that is missing is made; what is there is left alone. Two set-ups at once wait for each other. */
export async function setUp() {
  const start = Date.now();
  const unlock = await acquireLock(cacheFolder(), say);
  try {
    await ensureSystemPackages();
    await ensureNpmPackages();
    // The two slow ones need nothing of each other.
    const results = await Promise.allSettled([ensurePython(), ensureHost()]);
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  } finally {
    await unlock();
  }
  const seconds = (Date.now() - start) / 1000;
  say(seconds < 3 ? "everything is there." : `ready after ${Math.round(seconds)} s; kept in ${cacheFolder()}.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await setUp();
  } catch (error) {
    console.error(`set-up stopped: ${error instanceof SetupError ? error.message : error.stack}`);
    console.error("What was finished is kept; run it again to go on.");
    process.exitCode = 1;
  }
}
