// Start Local Trainer, first time: says what would be installed, where and how large, and does it only when told to.
import os from "node:os";
import path from "node:path";
import * as vscode from "vscode";
import { Problem } from "../report.ts";
import { settings } from "../settings.ts";
import {
  environmentPython,
  findInterpreter,
  findUv,
  hasEnginePackages,
  type Interpreter,
  installEnvironment,
  interpreterNames,
  isEnvironmentReady,
} from "./pythonEnvironment.ts";

/** Where the engine's environment lies and what goes into it. */
export interface EngineSetup {
  readonly environmentFolder: string;
  readonly requirementsFile: string;
  readonly log: vscode.LogOutputChannel;
}

/** The interpreter that can run the engine now, without asking or installing anything; null where none can. */
export async function readyPython({ environmentFolder, requirementsFile }: EngineSetup): Promise<string | null> {
  for (const given of [process.env.TOUCHLINE_PYTHON ?? "", settings.python()]) {
    if (given !== "" && (await hasEnginePackages(given))) return given;
  }
  return isEnvironmentReady(environmentFolder, requirementsFile) ? environmentPython(environmentFolder) : null;
}

/** What the person chose: an interpreter, or to go without an engine (null). Throws `CancellationError` where they chose neither. */
export async function askForPython(setup: EngineSetup): Promise<string | null> {
  const interpreter = await anInterpreter();
  const uv = await findUv();
  const without = vscode.l10n.t("Review Only");
  if (interpreter === null) {
    const choose = vscode.l10n.t("Choose Python…");
    const chosen = await vscode.window.showWarningMessage(
      vscode.l10n.t("Training needs Python 3.11 to 3.13 on this machine, and none was found."),
      {
        modal: true,
        detail: vscode.l10n.t(
          "Choose an interpreter, or start the trainer for review only: reading, scoring and importing work without Python.",
        ),
      },
      choose,
      without,
    );
    if (chosen === without) return null;
    if (chosen !== choose) throw new vscode.CancellationError();
    await vscode.commands.executeCommand("workbench.action.openSettings", "touchline.python");
    throw new vscode.CancellationError();
  }
  const install = vscode.l10n.t("Install");
  const size =
    uv === null && os.platform() === "linux"
      ? vscode.l10n.t("about 3 GB or more, since pip installs the CUDA build of PyTorch")
      : vscode.l10n.t("about 1 GB, or 5 GB where a CUDA GPU is found");
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t(
      "Install the training engine on {0}?",
      vscode.env.remoteName === undefined ? vscode.l10n.t("this machine") : os.hostname(),
    ),
    {
      modal: true,
      detail: [
        vscode.l10n.t("What: PyTorch, Transformers, PEFT and FastAPI, by {0}.", uv === null ? "pip" : "uv"),
        vscode.l10n.t(
          "Where: a separate environment in {0}. Nothing else on the machine is changed.",
          setup.environmentFolder,
        ),
        vscode.l10n.t("How large: {0}.", size),
        vscode.l10n.t("From: {0} (Python {1}).", interpreter.path, interpreter.version.join(".")),
        vscode.l10n.t("Review Only starts the trainer without training: reading, scoring and importing work."),
      ].join("\n\n"),
    },
    install,
    without,
  );
  if (chosen === without) return null;
  if (chosen !== install) throw new vscode.CancellationError();
  return installWithProgress(setup, interpreter, uv);
}

/** Makes the environment anew, for one that broke. */
export async function repairEnvironment(setup: EngineSetup): Promise<string> {
  const interpreter = await anInterpreter();
  if (interpreter === null)
    throw new Problem(
      vscode.l10n.t("No Python 3.11 to 3.13 was found. Nothing was changed. Set “touchline.python” to one."),
    );
  return installWithProgress(setup, interpreter, await findUv());
}

async function anInterpreter(): Promise<Interpreter | null> {
  const fromExtension = await pythonExtensionInterpreter();
  return findInterpreter(
    [
      process.env.TOUCHLINE_PYTHON ?? "",
      settings.python(),
      fromExtension ?? "",
      ...interpreterNames(process.platform),
    ].filter((candidate) => candidate !== ""),
  );
}

/** The interpreter chosen in the Python extension, where that is installed. */
async function pythonExtensionInterpreter(): Promise<string | undefined> {
  interface PythonApi {
    readonly environments: {
      getActiveEnvironmentPath(): { readonly path: string };
      resolveEnvironment(
        environment: unknown,
      ): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    };
  }
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (extension === undefined) return undefined;
  const { environments } = await extension.activate();
  const resolved = await environments.resolveEnvironment(environments.getActiveEnvironmentPath());
  return resolved?.executable.uri?.fsPath;
}

async function installWithProgress(
  { environmentFolder, requirementsFile, log }: EngineSetup,
  interpreter: Interpreter,
  uv: string | null,
): Promise<string> {
  const abort = new AbortController();
  try {
    await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t("Installing the training engine"),
        cancellable: true,
      },
      (progress, token) => {
        token.onCancellationRequested(() => abort.abort());
        const onLine = (line: string) => {
          log.info(`install: ${line}`);
          progress.report({ message: line.trim().slice(0, 80) });
        };
        return installEnvironment({
          folder: environmentFolder,
          requirementsFile,
          interpreter,
          uv,
          signal: abort.signal,
          onLine,
        });
      },
    );
  } catch (cause) {
    if (abort.signal.aborted) throw new vscode.CancellationError();
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Problem(
      vscode.l10n.t(
        "The engine was not installed: {0} Nothing outside {1} was changed. Check the network and the free disk, then repair it.",
        message,
        path.dirname(environmentFolder),
      ),
      { title: vscode.l10n.t("Repair"), command: "touchline.repairTrainer" },
      { cause },
    );
  }
  return environmentPython(environmentFolder);
}
