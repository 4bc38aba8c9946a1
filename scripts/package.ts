// `npm run package`: the extension as one .vsix, with the bridge, the engine's sources and the warm policy in it.
import { statSync } from "node:fs";
import { root } from "./setup/cache.mjs";
import { nodeTool, runProgram } from "./stage.ts";
import { packagePath } from "./suiteRun.ts";

const limitBytes = 15 * 1024 * 1024;

const file = await packagePath();
const steps: [string, string[]][] = [
  [process.execPath, ["esbuild.mjs", "--production"]],
  [
    nodeTool("vsce"),
    ["package", "--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links", "--out", file],
  ],
];
for (const [command, args] of steps) {
  const code = await runProgram(command, args, root);
  if (code !== 0) throw new Error(`${command} ended with ${code}; no package was made.`);
}
const { size } = statSync(file);
console.log(`${file}: ${(size / 1024 / 1024).toFixed(1)} MB`);
if (size > limitBytes) throw new Error(`The package is over ${limitBytes / 1024 / 1024} MB; see .vscodeignore.`);
