// Runs the programs the set-up needs, quiet unless they fail.
import { spawn } from "node:child_process";
import { root } from "./cache.mjs";

/** A failure a person can act on: its message is all that is printed. */
export class SetupError extends Error {}

/** One line to the person; on stderr, so that what a task prints can be piped. */
export const say = (text) => console.error(`set-up: ${text}`);

/** Runs a command; what it prints is shown only when it fails. */
export function execute(command, args, { cwd = root, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const lines = [];
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => lines.push(text));
    child.on("error", (error) => reject(new SetupError(`${command} could not be started: ${error.message}`)));
    child.on("close", (code) => {
      const output = lines.join("");
      if (code === 0) resolve(output);
      else reject(new SetupError(`${command} ${args.join(" ")} failed (exit ${code}):\n${output.slice(-4000)}`));
    });
  });
}

/** Runs npm. */
export const npm = (args, options) => execute(process.platform === "win32" ? "npm.cmd" : "npm", args, options);

/** A step that is slow prints what it does and how long it took. */
export async function timed(title, work) {
  const start = Date.now();
  say(`${title} …`);
  await work();
  say(`${title}: done in ${Math.round((Date.now() - start) / 1000)} s`);
}
