// `npm run dev`: bundles and types follow every change, beside a bridge to connect to; press F5 for the extension.
import path from "node:path";
import { startBridge } from "./demoBridge.ts";
import { startGroup } from "./processGroup.ts";
import { root } from "./setup/cache.mjs";
import { nodeTool, runProgram } from "./stage.ts";

if ((await runProgram(process.execPath, ["esbuild.mjs", "--all"])) !== 0) process.exit(1);
const bridge = await startBridge(path.join(root, ".touchline/dev"), ["--inspect=127.0.0.1:9230"]);
const watchers = [
  await startGroup({ command: process.execPath, args: ["esbuild.mjs", "--watch"], cwd: root }),
  await startGroup({ command: nodeTool("tsc"), args: ["-b", "--watch", "--preserveWatchOutput"], cwd: root }),
];
console.log(
  `Bridge: ${bridge.url}\nIts token is in ${path.join(root, ".touchline/dev/token")}; its log is ${bridge.logFile}.`,
);
console.log("Ctrl+C stops everything. Restart to run a changed bridge.");
const stopped = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
});
await Promise.race([stopped, bridge.group.ended]);
await Promise.all([bridge.close(), ...watchers.map((watcher) => watcher.stop())]);
