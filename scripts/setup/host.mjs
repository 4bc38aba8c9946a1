// VS Code itself, as a server that a browser opens: where the demo and the tests run the extension.
import { existsSync } from "node:fs";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { hostFolder, hostPackage, root } from "./cache.mjs";
import { execute, npm, timed } from "./execute.mjs";

/** The native modules that the server loads; each is built once, on this machine. */
const hostNatives = [
  "node-pty",
  "@vscode/spdlog",
  "@vscode/native-watchdog",
  "kerberos",
  "@parcel/watcher",
  "@vscode/sqlite3",
  "@vscode/fs-copyfile",
];

/** npm brings node-gyp with it; the headers are those of the Node 24 in node_modules. */
async function nodeGyp(folder) {
  const globalModules = (await npm(["root", "-g", "--loglevel=error"])).trim();
  const script = path.join(globalModules, "npm/node_modules/node-gyp/bin/node-gyp.js");
  const headers = path.join(root, `node_modules/node-${process.platform}-${process.arch}`);
  const args = existsSync(path.join(headers, "include/node/node_api.h")) ? [`--nodedir=${headers}`] : [];
  await execute(process.execPath, [script, "rebuild", "--jobs", "max", ...args], { cwd: folder });
  await rm(path.join(folder, "build/Release/obj.target"), { recursive: true, force: true });
}

async function buildHost(folder) {
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await writeFile(path.join(partial, "package.json"), JSON.stringify({ private: true }));
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await npm(["install", ...flags, `${hostPackage.name}@${hostPackage.version}`], { cwd: partial });
  const server = path.join(partial, "node_modules", hostPackage.name, "lib/vscode");
  await npm(["install", "--omit=dev", ...flags], { cwd: server });
  for (const name of hostNatives) {
    const native = path.join(server, "node_modules", name);
    if (existsSync(native)) await nodeGyp(native);
  }
  await symlink("node_modules", path.join(server, "node_modules.asar"));
  await rename(partial, folder);
}

/** Builds the host in the cache where it is missing. */
export async function ensureHost() {
  if (existsSync(hostFolder())) return;
  await timed("VS Code 1.139 as a server (about 180 MB to download, then its native modules are built)", () =>
    buildHost(hostFolder()),
  );
}
