// `npm run bench`: every file here that exports `run` measures in a process of its own; `-- --json` prints one object a figure.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Figure } from "./figure.ts";
import { isMet } from "./goal.ts";

const notFigures = ["main.ts", "figure.ts", "goal.ts"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** One JSON object a line, and nothing else on stdout. */
    json: { type: "boolean", default: false },
    /** Measures this file here and now; how the others are started. */
    one: { type: "string" },
  },
});

function files(): string[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".ts") && !/\.(test|d)\.ts$/.test(name) && !notFigures.includes(name))
    .filter((name) => positionals.length === 0 || positionals.includes(path.basename(name, ".ts")))
    .toSorted();
}

async function measureHere(file: string): Promise<void> {
  const measured: { run?: () => Promise<Figure[]> } = await import(path.join(import.meta.dirname, file));
  if (measured.run === undefined) throw new Error(`bench/${file} exports no run().`);
  for (const figure of await measured.run()) process.stdout.write(`${JSON.stringify(figure)}\n`);
}

/** A fresh process, so that one measurement's memory and caches are not the next one's. */
function measureApart(file: string): Promise<Figure[]> {
  return new Promise((resolve, reject) => {
    const args = ["--disable-warning=ExperimentalWarning", "--expose-gc", import.meta.filename, "--one", file];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const pieces: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => pieces.push(text));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code !== 0) reject(new Error(`bench/${file} ended with ${code}.`));
      else resolve(figuresIn(pieces.join("")));
    });
  });
}

function figuresIn(text: string): Figure[] {
  const lines = text.split("\n").filter((line) => line.startsWith('{"name"'));
  return lines.map((line) => JSON.parse(line));
}

function row(figure: Figure): string {
  const value = `${figure.value.toLocaleString("en", { maximumFractionDigits: 2 })} ${figure.unit}`;
  const mark = { true: "ok  ", false: "MISS", undefined: "    " }[
    String(isMet(figure)) as "true" | "false" | "undefined"
  ];
  const peer = figure.peer === null ? "" : `   peer: ${figure.peer}`;
  return `${mark} ${figure.name.padEnd(52)} ${value.padStart(20)}   goal ${figure.goal}${peer}`;
}

if (values.one !== undefined) {
  await measureHere(values.one);
} else {
  const chosen = files();
  if (chosen.length === 0) throw new Error(`No figures by that name: ${positionals.join(", ")}.`);
  for (const file of chosen) {
    try {
      for (const figure of await measureApart(file)) console.log(values.json ? JSON.stringify(figure) : row(figure));
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    }
  }
}
