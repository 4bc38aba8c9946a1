// The walls between rooms: every import line is checked against the table of ARCHITECTURE.md.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");

/** What each room may import: other rooms by path, packages by name, `node:` for Node's own modules. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "src/protocol": ["zod"],
  src: ["src/protocol", "vscode", "ws", "vscode-jsonrpc", "zod", "node:"],
  webview: [
    "src/protocol",
    "vscode-jsonrpc/browser",
    "zod",
    "preact",
    "@preact/signals",
    "@vscode/webview-ui-toolkit",
    "@vscode/codicons",
    "markdown-it",
    "dompurify",
    "katex",
    "highlight.js",
    "anser",
  ],
  "trainer-bridge/server": [
    "src/protocol",
    "trainer-bridge/training",
    "trainer-bridge/store",
    "ws",
    "vscode-jsonrpc",
    "zod",
    "node:",
  ],
  "trainer-bridge/store": ["src/protocol", "zod", "node:"],
  "trainer-bridge/workflow": ["src/protocol", "trainer-bridge/policy", "zod"],
  "trainer-bridge/policy": [],
  "trainer-bridge/rollouts": ["src/protocol", "trainer-bridge/workflow", "trainer-bridge/sandbox", "zod", "node:"],
  "trainer-bridge/sandbox": ["src/protocol", "zod", "node:"],
  "trainer-bridge/coach": ["src/protocol", "openai", "zod", "node:"],
  "trainer-bridge/credit": ["src/protocol"],
  "trainer-bridge/training": [
    "src/protocol",
    "trainer-bridge/workflow",
    "trainer-bridge/rollouts",
    "trainer-bridge/sandbox",
    "trainer-bridge/coach",
    "trainer-bridge/credit",
    "trainer-bridge/store",
    "zod",
    "node:",
  ],
  "trainer-bridge/interchange": ["src/protocol", "trainer-bridge/store", "zod", "node:"],
};

/** Folders that join rooms: they may import any room. */
const joints = ["trainer-bridge", "trainer-bridge/cli", "test", "bench", "scripts"];

const roomNames = Object.keys(mayImport).sort((a, b) => b.length - a.length);

/** The room that a path relative to the root lies in, if any. */
function roomOf(file: string): string | undefined {
  return roomNames.find((room) => file.startsWith(`${room}/`));
}

/** Every module a source text imports, type-only and dynamic imports included. */
function importsOf(source: string): string[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|\brequire\s*\(\s*)["']([\w@./:-]+)["']/g;
  return [...source.matchAll(pattern)].map((match) => match[1] ?? "");
}

/** Why this import goes through a wall, or undefined when it does not. */
function breach(file: string, specifier: string): string | undefined {
  const room = roomOf(file);
  if (room === undefined) return undefined;
  const allowed = mayImport[room] ?? [];
  if (specifier.startsWith(".")) {
    const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
    const targetRoom = roomOf(target);
    if (targetRoom === room || (targetRoom !== undefined && allowed.includes(targetRoom))) return undefined;
    return `${file}: ${room} may not import ${target}`;
  }
  const isAllowed = allowed.some((name) =>
    name === "node:" ? specifier.startsWith("node:") : specifier === name || specifier.startsWith(`${name}/`),
  );
  return isAllowed ? undefined : `${file}: ${room} may not import ${specifier}`;
}

/** Source files of the rooms, tests beside the code left out: a test may reach for its tools. */
function sourceFiles(): string[] {
  return ["src", "webview", "trainer-bridge"].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|mts|tsx)$/.test(entry.name) && !/\.(test|d)\.tsx?$/.test(entry.name))
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join("/")),
  );
}

describe("the walls", () => {
  test.each([
    ["node in credit", "trainer-bridge/credit/advantages.ts", "node:fs"],
    ["the store in credit", "trainer-bridge/credit/advantages.ts", "../store/store.ts"],
    ["vscode in a page", "webview/trajectory/main.ts", "vscode"],
    ["the extension in a page", "webview/trajectory/main.ts", "../../src/session.ts"],
    ["Node's jsonrpc in a page", "webview/trajectory/main.ts", "vscode-jsonrpc/node"],
    ["a socket in the protocol", "src/protocol/bridge.ts", "ws"],
    ["the bridge in the extension", "src/session.ts", "../trainer-bridge/server/server.ts"],
    ["the coach in the server", "trainer-bridge/server/handlers.ts", "../coach/coach.ts"],
    ["openai in the store", "trainer-bridge/store/store.ts", "openai"],
    ["the server in training", "trainer-bridge/training/iteration.ts", "../server/server.ts"],
    ["a file outside every room", "trainer-bridge/training/iteration.ts", "../main.ts"],
  ])("refuse %s", (_name, file, specifier) => {
    expect(breach(file, specifier)).toContain("may not import");
  });

  test.each([
    ["the protocol in credit", "trainer-bridge/credit/advantages.ts", "../../src/protocol/model.ts"],
    ["a neighbour in the same room", "src/views/statusBar.ts", "../session.ts"],
    ["a part of an allowed package", "src/session.ts", "vscode-jsonrpc/node"],
    ["the store in training", "trainer-bridge/training/iteration.ts", "../store/store.ts"],
  ])("let %s through", (_name, file, specifier) => {
    expect(breach(file, specifier)).toBeUndefined();
  });

  test.each([
    ['import type { A } from "vscode";', "vscode"],
    ['export { a } from "../store/a.ts";', "../store/a.ts"],
    ['import "./main.css";', "./main.css"],
    ['const a = await import("ws");', "ws"],
    ['import {\n  a,\n} from "openai";', "openai"],
  ])("read %s", (source, specifier) => {
    expect(importsOf(source)).toEqual([specifier]);
  });

  test("stand in every source file", () => {
    const files = sourceFiles();
    expect(files.length).toBeGreaterThan(0);
    const breaches = files.flatMap((file) =>
      importsOf(readFileSync(path.join(root, file), "utf8")).map((specifier) => breach(file, specifier)),
    );
    expect(breaches.filter((message) => message !== undefined)).toEqual([]);
  });

  test("every folder with code is a room or joins rooms", () => {
    const folders = new Set(sourceFiles().map((file) => path.posix.dirname(file)));
    const outside = [...folders].filter((folder) => roomOf(`${folder}/x`) === undefined && !joints.includes(folder));
    expect(outside).toEqual([]);
  });
});
