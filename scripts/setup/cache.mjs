// Where the set-up keeps what it downloads, and where the programs it needs are found.
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the clone. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** The VS Code server build that the demo and the tests run in; an npm package that contains VS Code 1.139.1. */
export const hostPackage = { name: "code-server", version: "4.139.1" };

/** Where what is downloaded once is kept, so that a second clone starts at once. */
export function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
  return process.env.TOUCHLINE_CACHE || path.join(base, "touchline");
}

/** The folder of the VS Code host of this version on this kind of machine. */
export function hostFolder() {
  return path.join(cacheFolder(), `vscode-host-${hostPackage.version}-${process.platform}-${process.arch}`);
}

/** The Chromium that shows the demo to a test: TOUCHLINE_CHROMIUM, or the first of the usual places. */
export function chromiumPath() {
  const usual = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  ];
  return process.env.TOUCHLINE_CHROMIUM ?? usual.find((file) => existsSync(file));
}
