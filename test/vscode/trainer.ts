// A real bridge without an engine for the suite, and the parts of the extension that it asks.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import * as vscode from "vscode";
import type { TouchlineApi } from "../../src/extension.ts";

/** The extension under test, activated. */
export async function touchline(): Promise<TouchlineApi> {
  const extension = vscode.extensions.getExtension<TouchlineApi>("touchline.touchline");
  if (extension === undefined) throw new Error("touchline.touchline is not installed");
  return extension.activate();
}

/** A bridge over one store that can be killed and started again; its address changes, as after a crash. */
export class Trainer {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), "touchline-suite-store-"));
  private process: ChildProcess | null = null;
  url = "";
  token = "";

  async start(): Promise<void> {
    const extension = vscode.extensions.getExtension("touchline.touchline");
    const script = path.join(extension?.extensionPath ?? "", "dist/bridge.mjs");
    const args = [script, "serve", "--data", this.folder, "--engine", "none", "--exit-with-parent"];
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: "1" };
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "ignore"], env });
    this.process = child;
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { url, tokenFile } = JSON.parse(line) as { url: string; tokenFile: string };
    this.url = url;
    this.token = readFileSync(tokenFile, "utf8").trim();
  }

  /** As `kill -9` does. */
  async kill(): Promise<void> {
    const child = this.process;
    if (child === null || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** Where to connect; asked anew at each attempt. */
  destination(token = () => this.token) {
    return { label: "the suite's trainer", find: async () => ({ url: this.url, token: token() }) };
  }
}

/** A chat in OpenAI's format with two assistants, for the importer. */
export function chatFile(): vscode.Uri {
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), "touchline-suite-file-")), "chat.json");
  const messages = [
    { role: "user", content: "What is 24 + 18?" },
    { role: "assistant", name: "solver", content: "24 + 18 = 42. The answer is 42." },
    { role: "assistant", name: "verifier", content: "The sum is right: \\boxed{42}." },
  ];
  writeFileSync(file, JSON.stringify({ messages }));
  return vscode.Uri.file(file);
}
