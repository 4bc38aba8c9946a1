// The invariants of ARCHITECTURE.md that a reader of source text can hold.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");

/** Sources by path from the root; tests, which may do what they test against, are left out. */
const sources: ReadonlyMap<string, string> = new Map(
  ["src", "webview", "trainer-bridge"]
    .flatMap((folder) => readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.(ts|tsx|py)$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
    .filter((file) => !/\.test\.tsx?$|\/fake[A-Z]|\/tests?\/|\/harness\/|node_modules/.test(file))
    .map((file) => [file, readFileSync(path.join(root, file), "utf8")]),
);

interface Invariant {
  readonly name: string;
  /** Files it is about. */
  readonly where: RegExp;
  /** Files that may. */
  readonly except: RegExp;
  readonly pattern: RegExp;
  /** A line that breaks it, to see the pattern go red. */
  readonly breach: string;
}

const invariants: readonly Invariant[] = [
  {
    name: "nothing but the store speaks SQL",
    where: /\.tsx?$/,
    except: /^trainer-bridge\/store\//,
    pattern: /node:sqlite|\bINSERT INTO\b|\bSELECT\b[^\n]*\bFROM\b|\bUPDATE \w+ SET\b/,
    breach: 'database.prepare("SELECT id FROM actions")',
  },
  {
    name: "in the bridge only the sandbox and the engine's starter begin a process",
    where: /^trainer-bridge\/.*\.ts$/,
    except: /^trainer-bridge\/sandbox\/|\/engineProcess\.ts$/,
    pattern: /node:child_process|node:vm\b|node:worker_threads/,
    breach: 'import { spawn } from "node:child_process";',
  },
  {
    name: "no text becomes code",
    where: /\.tsx?$/,
    except: /^$/,
    pattern: /\beval\s*\(|new Function\s*\(|\.innerHTML\s*=|\.outerHTML\s*=|document\.write/,
    breach: "element.innerHTML = text;",
  },
  {
    name: "a page opens no socket and loads nothing",
    where: /^webview\//,
    except: /^$/,
    pattern: /new WebSocket\b|new EventSource\b|XMLHttpRequest|\bfetch\s*\(|sendBeacon/,
    breach: "new WebSocket(url)",
  },
  {
    name: "the engine knows no coach, reward or override",
    where: /^trainer-bridge\/engine\/.*\.py$/,
    except: /^$/,
    pattern: /\b(coach|reward|override|score)s?(_\w+)?\s*[:=(]/i,
    breach: "reward: float = 0.0",
  },
  {
    name: "credit and the protocol know no clock and no chance",
    where: /^(src\/protocol|trainer-bridge\/credit)\/.*\.ts$/,
    except: /^$/,
    pattern: /Date\.now|new Date\b|performance\.now|Math\.random|setTimeout|\bprocess\./,
    breach: "const at = Date.now();",
  },
];

describe("an invariant", () => {
  test.each(invariants)("holds: $name", ({ where, except, pattern }) => {
    const files = [...sources].filter(([file]) => where.test(file) && !except.test(file));
    expect(files.length).toBeGreaterThan(0);
    const breaches = files.flatMap(([file, source]) =>
      source
        .split("\n")
        .map((line, index) => ({ line, at: `${file}:${index + 1}` }))
        .filter(({ line }) => pattern.test(line) && !/^\s*(\/\/|\*|\/\*|#)/.test(line))
        .map(({ line, at }) => `${at}: ${line.trim()}`),
    );
    expect(breaches).toEqual([]);
  });

  test.each(invariants)("would be seen broken: $name", ({ pattern, breach }) => {
    expect(pattern.test(breach)).toBe(true);
  });
});
