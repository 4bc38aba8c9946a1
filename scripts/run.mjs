// Starts any task of package.json: first the set-up on whatever Node there is, then the task on the clone's own Node 24.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { root } from "./setup/cache.mjs";
import { SetupError } from "./setup/execute.mjs";
import { setUp } from "./setup.mjs";

const [task, ...args] = process.argv.slice(2);

/** The Node 24 of node_modules, or this one where that package has none for the machine. */
function nodePath() {
  const own = path.join(root, "node_modules/.bin", process.platform === "win32" ? "node.cmd" : "node");
  return existsSync(own) ? own : process.execPath;
}

/** Runs the task and ends as it ends; Ctrl+C is left to the task, which has things to put away. */
function runTask() {
  const bin = path.join(root, "node_modules/.bin");
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ""}` };
  const script = path.join(root, "scripts", `${task}.ts`);
  const child = spawn(nodePath(), ["--disable-warning=ExperimentalWarning", script, ...args], {
    cwd: root,
    env,
    stdio: "inherit",
  });
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("close", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}

try {
  if (task === undefined) throw new SetupError("name a task: node scripts/run.mjs <task>");
  await setUp();
  runTask();
} catch (error) {
  console.error(`set-up stopped: ${error instanceof SetupError ? error.message : error.stack}`);
  console.error("What was finished is kept; run it again to go on.");
  process.exitCode = 1;
}
