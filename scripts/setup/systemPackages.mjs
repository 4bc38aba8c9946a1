// What the operating system must give: a browser, a sandbox, a compiler, letters.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { chromiumPath } from "./cache.mjs";
import { execute, say, timed } from "./execute.mjs";
import { findPython } from "./python.mjs";

const systemPackages = [
  { debian: "chromium", has: () => chromiumPath() !== undefined, why: "the browser the end-to-end tests click in" },
  { debian: "bubblewrap", has: () => hasCommand("bwrap"), why: "the sandbox for Python that a model wrote" },
  {
    debian: "libkrb5-dev",
    has: () => existsSync("/usr/include/gssapi.h"),
    why: "to build a module of the VS Code host",
  },
  { debian: "fonts-dejavu-core", has: hasFonts, why: "letters for screenshots" },
  {
    debian: "build-essential",
    has: () => hasCommand("make") && hasCommand("g++"),
    why: "to build modules of the VS Code host",
  },
  { debian: "python3-venv", has: hasVenv, why: "the engine's own Python packages" },
];

function hasFonts() {
  return existsSync("/usr/share/fonts/truetype/dejavu") || existsSync("/usr/share/fonts/dejavu");
}

function hasVenv() {
  const python = findPython();
  return python !== undefined && spawnSync(python.command, ["-c", "import ensurepip, venv"]).status === 0;
}

function hasCommand(name) {
  return (process.env.PATH ?? "").split(path.delimiter).some((folder) => existsSync(path.join(folder, name)));
}

/** Installs what is missing where that is allowed, else says what to install. */
export async function ensureSystemPackages() {
  if (process.platform !== "linux") {
    if (chromiumPath() === undefined) say("no Chromium found: set TOUCHLINE_CHROMIUM to run the end-to-end tests.");
    return;
  }
  const missing = systemPackages.filter((item) => !item.has());
  if (missing.length === 0) return;
  const names = missing.map((item) => item.debian);
  const reasons = missing.map((item) => `  ${item.debian}: ${item.why}`).join("\n");
  if (!hasCommand("apt-get") || process.getuid?.() !== 0) {
    say(`these are not on this machine:\n${reasons}\n  install them with: sudo apt-get install ${names.join(" ")}`);
    return;
  }
  await timed(`system packages (${names.join(", ")}; up to 150 MB)`, async () => {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await execute("apt-get", ["update", "-q"], { env });
    await execute("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...names], { env });
  });
}
