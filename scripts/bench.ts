// `npm run bench`: builds what is measured, then measures; `-- --json` prints one object a figure.
import path from "node:path";
import { root } from "./setup/cache.mjs";
import { runProgram } from "./stage.ts";

const main = path.join(root, "bench/main.ts");

const built = await runProgram(process.execPath, ["esbuild.mjs", "--production"]);
process.exitCode = built === 0 ? await runProgram(process.execPath, [main, ...process.argv.slice(2)]) : built;
