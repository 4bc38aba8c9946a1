// The npm packages of the lockfile.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./cache.mjs";
import { npm, timed } from "./execute.mjs";

/** True when every package of the lockfile that belongs on this machine is installed at its version. */
function areNpmPackagesInstalled() {
  const installedFile = path.join(root, "node_modules/.package-lock.json");
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedFile, "utf8")).packages;
  return Object.entries(wanted).every(
    ([place, entry]) => place === "" || entry.optional === true || installed[place]?.version === entry.version,
  );
}

/** Installs the packages of the lockfile where they are not. */
export async function ensureNpmPackages() {
  if (areNpmPackagesInstalled()) return;
  // Packages that are only out of step are brought up to date in place; a fresh clone gets exactly the lockfile.
  const command = existsSync(path.join(root, "node_modules/.package-lock.json")) ? "install" : "ci";
  await timed("npm packages (about 160 MB to download)", () => npm([command, "--ignore-scripts", "--loglevel=error"]));
}
