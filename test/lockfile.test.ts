// The lockfile is whole: a clone on any platform installs from it, and every version is exact.
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");
const read = (file: string) => JSON.parse(readFileSync(path.join(root, file), "utf8"));
const { packages } = read("package-lock.json") as { packages: Record<string, LockEntry> };
const manifest = read("package.json") as Record<string, Record<string, string> | undefined>;

interface LockEntry {
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

test("every optional package of another platform has an entry", () => {
  // A registry that lacks one of them leaves it out without a word, and then `npm ci` refuses the lockfile.
  const places = Object.keys(packages);
  const missing = Object.entries(packages).flatMap(([place, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !places.some((other) => other.endsWith(`node_modules/${name}`)))
      .map((name) => `${name}, wanted by ${place}`),
  );
  expect(missing).toEqual([]);
});

test.each(["dependencies", "devDependencies", "optionalDependencies"])("every one of the %s is pinned", (kind) => {
  const loose = Object.entries(manifest[kind] ?? {}).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
  expect(loose).toEqual([]);
});
