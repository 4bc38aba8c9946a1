// Every text of the interface can be translated: it stands in the bundle, and every title of the manifest in its file.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");
const json = (file: string) => JSON.parse(readFileSync(path.join(root, file), "utf8"));

test("the bundle holds exactly the texts of the source", () => {
  const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => readFileSync(path.join(import.meta.dirname, name), "utf8"));
  const texts = sources.flatMap((source) =>
    [...source.matchAll(/l10n\.t\(\s*("(?:[^"\\]|\\.)*")/g)].map(([, text]) => JSON.parse(text ?? "")),
  );
  const calls = sources.join("\n").match(/l10n\.t\(/g)?.length;
  expect(texts.length, "a text that is not written out cannot be translated").toBe(calls);
  expect(Object.keys(json("l10n/bundle.l10n.json")).sort()).toEqual([...new Set(texts)].sort());
});

test("the manifest names texts that exist, and no other exist", () => {
  const used = [...readFileSync(path.join(root, "package.json"), "utf8").matchAll(/"%([^%"]+)%"/g)].map(
    ([, key]) => key,
  );
  expect(Object.keys(json("package.nls.json")).sort()).toEqual([...new Set(used)].sort());
});
