// Commands that open and close the way to a trainer.
import path from "node:path";
import * as vscode from "vscode";
import { addressDestination, configuredDestination, localDestination, tokenKey } from "../destinations.ts";
import type { EngineSetup } from "../local/engineSetup.ts";
import { settings } from "../settings.ts";
import type { Touchline } from "../touchline.ts";

const LAST = "connection.last";

/** Connects by itself where the person has said how: the environment, the settings, or the local trainer they used last. */
export async function connectByItself(touchline: Touchline): Promise<void> {
  const { link, local, context } = touchline;
  const configured = configuredDestination(process.env);
  if (configured !== null) return link.connect(configured);
  const url = settings.bridgeUrl();
  if (url !== "") return link.connect(addressDestination(url, context.secrets));
  if (
    context.globalState.get<string>(LAST) !== "local" ||
    settings.startLocalTrainer() !== "automatically" ||
    !vscode.workspace.isTrusted
  )
    return;
  const { readyPython } = await import("../local/engineSetup.ts");
  local.python = await readyPython(engineSetup(touchline));
  return link.connect(localDestination(local));
}

/** Asks where to, and for the token; keeps the address in the settings and the token in SecretStorage. */
export async function connect(touchline: Touchline): Promise<void> {
  const { link, context } = touchline;
  const configured = configuredDestination(process.env);
  const ways = [
    ...(configured === null
      ? []
      : [
          {
            label: `$(plug) ${vscode.l10n.t("Connect to {0}", configured.label)}`,
            detail: vscode.l10n.t("Named by the environment"),
            way: "configured" as const,
          },
        ]),
    {
      label: `$(vm) ${vscode.l10n.t("Start a trainer on this machine")}`,
      detail: vscode.l10n.t("Its store and its environment lie in VS Code's own folder"),
      way: "local" as const,
    },
    {
      label: `$(globe) ${vscode.l10n.t("Connect to an address…")}`,
      detail: vscode.l10n.t("A trainer that runs elsewhere; it printed its address and token at its start"),
      way: "address" as const,
    },
  ];
  const chosen = await vscode.window.showQuickPick(ways, { title: vscode.l10n.t("Connect to Trainer") });
  if (chosen === undefined) return;
  if (chosen.way === "local") return startLocalTrainer(touchline);
  if (chosen.way === "configured" && configured !== null) return link.connect(configured);
  const url = await vscode.window.showInputBox({
    title: vscode.l10n.t("Address of the trainer"),
    value: settings.bridgeUrl() || "ws://127.0.0.1:7070",
    ignoreFocusOut: true,
    validateInput: (value) =>
      /^wss?:\/\/[^\s/]+/.test(value.trim()) ? undefined : vscode.l10n.t("An address begins with ws:// or wss://."),
  });
  if (url === undefined) return;
  const address = url.trim();
  const token = await vscode.window.showInputBox({
    title: vscode.l10n.t("Token of {0}", address),
    prompt: vscode.l10n.t("Kept in VS Code's secret storage only. Leave it empty to use the one that is kept."),
    password: true,
    ignoreFocusOut: true,
  });
  if (token === undefined) return;
  if (token.trim() !== "") await context.secrets.store(tokenKey(address), token.trim());
  await vscode.workspace.getConfiguration("touchline").update("bridgeUrl", address, vscode.ConfigurationTarget.Global);
  await context.globalState.update(LAST, "address");
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: vscode.l10n.t("Connecting to {0}…", address) },
    () => link.connect(addressDestination(address, context.secrets)),
  );
}

/** Starts the trainer of this machine; the first time, offers to install the engine. */
export async function startLocalTrainer(touchline: Touchline): Promise<void> {
  const { link, local, context } = touchline;
  const { askForPython, readyPython } = await import("../local/engineSetup.ts");
  const setup = engineSetup(touchline);
  local.python = (await readyPython(setup)) ?? (await askForPython(setup));
  await context.globalState.update(LAST, "local");
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t("Starting the local trainer…") },
    () => link.connect(localDestination(local)),
  );
}

/** Installs the engine's environment anew and starts again. */
export async function repairTrainer(touchline: Touchline): Promise<void> {
  const { repairEnvironment } = await import("../local/engineSetup.ts");
  await stopLocalTrainer(touchline);
  touchline.local.python = await repairEnvironment(engineSetup(touchline));
  await touchline.context.globalState.update(LAST, "local");
  await touchline.link.connect(localDestination(touchline.local));
}

/** Stops the bridge this window started; what it acknowledged is in its store. */
export async function stopLocalTrainer({ link, local }: Touchline): Promise<void> {
  link.disconnect();
  await local.stop();
}

/** Disconnects and stays so in this window. */
export function disconnect({ link }: Touchline): void {
  link.disconnect();
}

function engineSetup({ context, log }: Touchline): EngineSetup {
  return {
    environmentFolder: path.join(context.globalStorageUri.fsPath, "engine-python"),
    requirementsFile: context.asAbsolutePath(path.join("trainer-bridge", "engine", "requirements.txt")),
    log,
  };
}
