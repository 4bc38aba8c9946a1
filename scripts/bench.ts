// `npm run bench`: builds what is measured, then measures; `-- --json` prints one object a figure.
import { existsSync } from "node:fs";
import path from "node:path";
import { root } from "./setup/cache.mjs";
import { runProgram } from "./stage.ts";

const main = path.join(root, "bench/main.ts");
if (!existsSync(main)) throw new Error("bench/main.ts is not there.");
const built = await runProgram(process.execPath, ["esbuild.mjs", "--production"]);
process.exitCode = built === 0 ? await runProgram(process.execPath, [main, ...process.argv.slice(2)]) : built;
