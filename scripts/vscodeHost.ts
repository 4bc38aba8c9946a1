// Starts and stops the real VS Code in which the demo and the tests run the extension.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "./freePort.ts";
import { type ProcessGroup, startGroup } from "./processGroup.ts";
import { hostFolder, hostPackage } from "./setup/cache.mjs";

/** The colour themes that stand for the four kinds. */
export const themes = [
  "Default Dark Modern",
  "Default Light Modern",
  "Default High Contrast",
  "Default High Contrast Light",
] as const;
export type Theme = (typeof themes)[number];

/** What a host is started with. */
export interface HostOptions {
  /** The folder to open; an empty temporary one when left out. */
  readonly workspace?: string;
  /** An extension's folder, loaded from source as F5 does. */
  readonly extensionPath?: string;
  /** A module whose `run()` is the test suite, run inside the extension host. */
  readonly testsPath?: string;
  /** A packaged extension, installed before the start. */
  readonly vsix?: string;
  readonly theme?: Theme;
  /** More settings, over those that keep the host quiet. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Variables that the extension sees. */
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Commands to run when the window stands, such as one that shows a view. */
  readonly startCommands?: readonly string[];
}

/** A running VS Code. */
export interface VscodeHost {
  /** What to open in a browser. */
  readonly url: string;
  readonly port: number;
  readonly workspace: string;
  /** What the server and the extension host wrote. */
  readonly logFolder: string;
  /** Replaces settings; open pages follow. */
  setSettings(settings: Readonly<Record<string, unknown>>): Promise<void>;
  /** Ends VS Code and all it started, and removes its temporary folders. */
  close(): Promise<void>;
}

const quietSettings = {
  "security.workspace.trust.enabled": false,
  "workbench.startupEditor": "none",
  "telemetry.telemetryLevel": "off",
  "chat.disableAIFeatures": true,
  "workbench.tips.enabled": false,
  "extensions.ignoreRecommendations": true,
  "git.enabled": false,
};

/** Starts VS Code and waits until it answers. */
export async function startHost(options: HostOptions = {}): Promise<VscodeHost> {
  const server = path.join(hostFolder(), "node_modules", hostPackage.name, "lib/vscode/out/server-main.js");
  if (!existsSync(server)) throw new Error("The VS Code host is not there: run `npm run setup` first.");
  const home = await mkdtemp(path.join(os.tmpdir(), "touchline-vscode-"));
  const workspace = options.workspace ?? path.join(home, "workspace");
  await mkdir(workspace, { recursive: true });
  const setSettings = (settings: Readonly<Record<string, unknown>>) =>
    writeSettings(home, { ...quietSettings, ...themeSetting(options.theme), ...options.settings, ...settings });
  await setSettings({});

  const common = ["--server-data-dir", home, "--extensions-dir", path.join(home, "extensions")];
  const logFile = path.join(home, "server.log");
  if (options.startCommands !== undefined) await writeOpener(path.join(home, "extensions"), options.startCommands);
  if (options.vsix !== undefined) await installExtension(server, options.vsix, common, logFile);
  const port = options.port ?? (await freePort());
  const group = await startGroup({
    command: process.execPath,
    args: [
      server,
      "--without-connection-token",
      ...["--host", "127.0.0.1", "--port", String(port)],
      "--accept-server-license-terms",
      "--enable-smoke-test-driver",
      ...common,
    ],
    env: { ...options.env, VSCODE_IPC_HOOK_CLI: undefined, NODE_OPTIONS: undefined },
    logFile,
  });
  const close = async () => {
    await group.stop();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await untilAnswering(port, group, logFile);
  } catch (error) {
    await close();
    throw error;
  }
  const url = `http://127.0.0.1:${port}/?${query(options, workspace, port)}`;
  return { url, port, workspace, logFolder: path.join(home, "data/logs"), setSettings, close };
}

function themeSetting(theme: Theme | undefined): Readonly<Record<string, unknown>> {
  return theme === undefined ? {} : { "workbench.colorTheme": theme };
}

async function writeSettings(home: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  for (const kind of ["Machine", "User"]) {
    await mkdir(path.join(home, "data", kind), { recursive: true });
    await writeFile(path.join(home, "data", kind, "settings.json"), JSON.stringify(settings, null, 2));
  }
}

async function installExtension(
  server: string,
  vsix: string,
  common: readonly string[],
  logFile: string,
): Promise<void> {
  const args = [server, ...common, "--accept-server-license-terms", "--install-extension", vsix, "--force"];
  const lines: string[] = [];
  const group = await startGroup({ command: process.execPath, args, logFile, onOutput: (text) => lines.push(text) });
  const code = await group.ended;
  if (code !== 0) throw new Error(`${vsix} could not be installed:\n${lines.join("")}`);
}

/** A small extension of this host alone: what a person would click first is already open. */
async function writeOpener(extensions: string, commands: readonly string[]): Promise<void> {
  const folder = path.join(extensions, "touchline.opener-0.0.1");
  await mkdir(folder, { recursive: true });
  const manifest = {
    ...{ name: "opener", publisher: "touchline", version: "0.0.1", engines: { vscode: "^1.100.0" } },
    ...{ main: "./opener.cjs", activationEvents: ["onStartupFinished"] },
  };
  const source = `const { commands } = require("vscode");
exports.activate = async () => {
  for (const command of ${JSON.stringify(commands)}) await commands.executeCommand(command);
};
`;
  await writeFile(path.join(folder, "package.json"), JSON.stringify(manifest));
  await writeFile(path.join(folder, "opener.cjs"), source);
  const installed = {
    ...{ identifier: { id: "touchline.opener" }, version: "0.0.1", relativeLocation: "touchline.opener-0.0.1" },
    ...{ location: { $mid: 1, path: folder, scheme: "file" }, metadata: {} },
  };
  await writeFile(path.join(extensions, "extensions.json"), JSON.stringify([installed]));
}

function query(options: HostOptions, workspace: string, port: number): string {
  const remote = (file: string) => `vscode-remote://127.0.0.1:${port}${path.resolve(file)}`;
  const payload: [string, string][] = [];
  if (options.extensionPath !== undefined) payload.push(["extensionDevelopmentPath", remote(options.extensionPath)]);
  if (options.testsPath !== undefined) payload.push(["extensionTestsPath", remote(options.testsPath)]);
  const parameters = new URLSearchParams({ folder: workspace });
  if (payload.length > 0) parameters.set("payload", JSON.stringify(payload));
  return parameters.toString();
}

async function untilAnswering(port: number, group: ProcessGroup, logFile: string): Promise<void> {
  const state = { hasEnded: false };
  group.ended.then(
    () => {
      state.hasEnded = true;
    },
    () => {
      state.hasEnded = true;
    },
  );
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && !state.hasEnded) {
    const answer = await fetch(`http://127.0.0.1:${port}/version`).catch(() => undefined);
    if (answer?.ok) return;
    await wait(100);
  }
  throw new Error(`VS Code ${state.hasEnded ? "ended" : "did not answer"} while starting; see ${logFile}.`);
}
