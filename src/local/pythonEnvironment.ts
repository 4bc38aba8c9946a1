// The engine's Python: finds an interpreter, and makes or checks the environment with the engine's packages.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

/** An interpreter and its version, for instance `[3, 12]`. */
export interface Interpreter {
  readonly path: string;
  readonly version: readonly [number, number];
}

/** The oldest and newest versions the engine's packages are made for. */
const OLDEST_MINOR = 11;
const NEWEST_MINOR = 13;
const MARK = "touchline.json";

/** The first candidate that runs and is new enough; others are left out. */
export async function findInterpreter(candidates: readonly string[]): Promise<Interpreter | null> {
  for (const candidate of candidates) {
    const output = await outputOf(candidate, ["-c", "import sys; print(sys.version_info[0], sys.version_info[1])"]);
    const [major, minor] = (output ?? "").trim().split(" ").map(Number);
    if (major === 3 && minor !== undefined && minor >= OLDEST_MINOR && minor <= NEWEST_MINOR)
      return { path: candidate, version: [major, minor] };
  }
  return null;
}

/** Names under which systems install suitable interpreters, newest tested first. */
export function interpreterNames(platform: NodeJS.Platform): readonly string[] {
  return platform === "win32" ? ["py", "python"] : ["python3.12", "python3.13", "python3.11", "python3", "python"];
}

/** Whether an interpreter can already run the engine: every package it needs is there. */
export async function hasEnginePackages(python: string): Promise<boolean> {
  const check =
    "import importlib.util as u, sys; sys.exit(any(u.find_spec(n) is None for n in ('torch','transformers','peft','safetensors','fastapi','uvicorn','jinja2')))";
  return (await outputOf(python, ["-c", check])) !== null;
}

/** The interpreter inside an environment. */
export function environmentPython(folder: string, platform: NodeJS.Platform = process.platform): string {
  return platform === "win32" ? path.join(folder, "Scripts", "python.exe") : path.join(folder, "bin", "python");
}

/** Whether the environment was finished for exactly these requirements. */
export function isEnvironmentReady(folder: string, requirementsFile: string): boolean {
  const mark = path.join(folder, MARK);
  if (!existsSync(mark) || !existsSync(environmentPython(folder))) return false;
  return readFileSync(mark, "utf8") === requirementsMark(requirementsFile);
}

/** How an environment is to be made. */
export interface Installation {
  readonly folder: string;
  readonly requirementsFile: string;
  readonly interpreter: Interpreter;
  /** Path of uv, which chooses the build of torch for the machine; null: pip. */
  readonly uv: string | null;
  readonly signal: AbortSignal;
  /** Each line the installer prints. */
  readonly onLine: (line: string) => void;
}

/** Makes the environment from nothing; a half-made one is never taken for a whole one. */
export async function installEnvironment({
  folder,
  requirementsFile,
  interpreter,
  uv,
  signal,
  onLine,
}: Installation): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.dirname(folder), { recursive: true });
  const python = environmentPython(folder);
  const steps: readonly (readonly [string, readonly string[]])[] =
    uv === null
      ? [
          [interpreter.path, ["-m", "venv", folder]],
          [python, ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-r", requirementsFile]],
        ]
      : [
          [uv, ["venv", "--python", interpreter.path, folder]],
          [uv, ["pip", "install", "--python", python, "--torch-backend=auto", "-r", requirementsFile]],
        ];
  for (const [command, args] of steps) await runToEnd(command, args, signal, onLine);
  writeFileSync(path.join(folder, MARK), requirementsMark(requirementsFile));
}

/** uv's path, where it is installed. */
export async function findUv(): Promise<string | null> {
  return (await outputOf("uv", ["--version"])) === null ? null : "uv";
}

function requirementsMark(requirementsFile: string): string {
  return JSON.stringify({ requirements: createHash("sha256").update(readFileSync(requirementsFile)).digest("hex") });
}

/** What a command prints; null where it cannot run, takes over 20 s or fails. */
function outputOf(command: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"], timeout: 20_000, windowsHide: true });
    let output = "";
    child.stdout.on("data", (part) => {
      output += part;
    });
    child.once("error", () => resolve(null));
    child.once("exit", (code) => resolve(code === 0 ? output : null));
  });
}

function runToEnd(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      signal,
      windowsHide: true,
      env: { ...process.env, PYTHONNOUSERSITE: "1", PIP_PROGRESS_BAR: "off" },
    });
    let last = "";
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        if (line.trim() === "") return;
        last = line;
        onLine(line);
      });
    }
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`${path.basename(command)} ${args[0]} ended with code ${code}: ${last}`)),
    );
  });
}
