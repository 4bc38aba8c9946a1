// Makes the parts of the host in their order and joins what one of them tells to those that show it.
import path from "node:path";
import * as vscode from "vscode";
import { authorName } from "./author.ts";
import { openAction, showIteration } from "./commands/reading.ts";
import { runForPage } from "./commands.ts";
import { showContext } from "./context.ts";
import { Library } from "./library.ts";
import { openLocalTrainer } from "./local/localTrainer.ts";
import { errorLine } from "./log.ts";
import { openOverrideQueue } from "./overrideQueue.ts";
import { openOverrides } from "./overrides.ts";
import { reportError } from "./report.ts";
import { settings } from "./settings.ts";
import type { Touchline } from "./touchline.ts";
import { openTrainerLink } from "./trainerLink.ts";
import { PoliciesTree } from "./views/policiesTree.ts";
import { QueueTree } from "./views/queueTree.ts";
import { RunsTree } from "./views/runsTree.ts";
import { openStatusBar } from "./views/statusBar.ts";
import { TextDocuments } from "./views/textDocuments.ts";
import { TrainingPlace } from "./views/trainingPlace.ts";
import { TrajectoryPlaces } from "./views/trajectoryPlaces.ts";
import { Work } from "./work.ts";

/** Opens everything that lives as long as the extension; it ends with `context.subscriptions`. */
export function openTouchline(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Touchline {
  const { extensionUri, globalStorageUri, workspaceState } = context;
  const wants = () =>
    vscode.workspace.isTrusted ? (["read", "override", "control", "import"] as const) : (["read"] as const);
  const link = openTrainerLink(`VS Code ${vscode.version}`, () => [...wants()], log);
  const local = openLocalTrainer({
    node: process.execPath,
    script: context.asAbsolutePath(path.join("dist", "bridge.mjs")),
    folder: globalStorageUri.fsPath,
    base: context.asAbsolutePath(path.join("trainer-bridge", "policy", "warm")),
    log,
  });
  const onError = (error: unknown) => log.error(`library: ${errorLine(error)}`);
  const library = new Library(link, onError);
  const queue = openOverrideQueue(path.join(globalStorageUri.fsPath, "overrides"), log);
  const overrides = openOverrides(
    link,
    queue,
    (item, error) =>
      void reportError(
        vscode.l10n.t("An override that waited on this machine was refused and is kept"),
        error,
        log,
      ).then(() => log.warn(`override ${item.requestId}`)),
    log,
  );
  const work = new Work(link, library, workspaceState, log);

  const canRead = () => link.status.state === "connected";
  const runs = new RunsTree(library, canRead);
  const runsView = vscode.window.createTreeView("touchline.runs", { treeDataProvider: runs, showCollapseAll: true });
  const queueTree = new QueueTree(library, workspaceState, canRead, () => work.iteration?.state === "reviewing");
  const queueView = vscode.window.createTreeView("touchline.queue", { treeDataProvider: queueTree });
  queueTree.view = queueView;
  const policies = new PoliciesTree(library, () => work.run(), canRead);
  const policiesView = vscode.window.createTreeView("touchline.policies", { treeDataProvider: policies });
  const documents = new TextDocuments(link);
  const statusBar = openStatusBar();

  const places = new TrajectoryPlaces(
    {
      extensionUri,
      link,
      overrides,
      log,
      author: () => authorName(settings.author()),
      blindFirst: settings.blindFirst,
      openField: (actionId, field) => documents.openField(actionId, field),
      neighbour: (trajectoryId, direction) => runs.neighbour(trajectoryId, direction),
      runCommand: async (command, from) => {
        if (command === "focused" || command === "blurred") places.focused(from, command === "focused");
        else await runForPage(command);
      },
    },
    workspaceState,
  );
  const training = new TrainingPlace({
    extensionUri,
    link,
    overrides,
    log,
    runCommand: async (command) => {
      if (command !== "focused" && command !== "blurred") await runForPage(command);
    },
    showIteration: (iterationId) => showIteration(touchline, iterationId),
    currentRunId: () => work.runId,
    chooseRun: (runId) => work.chooseRun(runId),
  });
  const touchline: Touchline = {
    context,
    log,
    link,
    local,
    library,
    overrides,
    work,
    places,
    training,
    documents,
    runs,
    runsView,
    queue: queueTree,
    policies,
  };

  const show = () => {
    showContext(touchline);
    statusBar.show(link.status, work.iteration, overrides.waiting().length);
  };
  let wasConnected = false;
  context.subscriptions.push(
    runsView,
    queueView,
    policiesView,
    documents,
    places,
    training,
    statusBar,
    link,
    { dispose: () => void local.stop() },
    link.onEvents((events) => library.apply(events)),
    link.onSnapshot(() => library.clear()),
    link.onStatus(({ state }) => {
      show();
      const isConnected = state === "connected";
      if (isConnected !== wasConnected) {
        runs.refresh();
        queueTree.refresh();
        policies.refresh();
      }
      if (isConnected && !wasConnected) sendWaiting(touchline);
      wasConnected = isConnected;
    }),
    overrides.onChange(show),
    work.onChange(() => {
      show();
      policies.refresh();
    }),
    local.onCrash((why) => void tellCrash(why, log)),
    vscode.window.registerUriHandler({ handleUri: (uri) => openUri(touchline, uri) }),
  );
  show();
  queue.refresh().catch((error: unknown) => log.error(`queue: ${errorLine(error)}`));
  return touchline;
}

/** What was decided while there was no connection goes to the store, oldest first. */
function sendWaiting({ overrides, log }: Touchline): void {
  overrides.flush().then(
    (taken) => {
      if (taken > 0)
        void vscode.window.showInformationMessage(
          vscode.l10n.t("{0} overrides that waited on this machine are now in the trainer's store.", taken),
        );
      const conflicts = overrides.waiting().filter(({ state }) => state === "conflict").length;
      if (conflicts > 0)
        void vscode.window.showWarningMessage(
          vscode.l10n.t("{0} overrides met another person's. Open their trajectories to choose.", conflicts),
        );
    },
    (error: unknown) => log.warn(`queue: ${errorLine(error)}`),
  );
}

async function tellCrash(why: string, log: vscode.LogOutputChannel): Promise<void> {
  const showLog = vscode.l10n.t("Show Log");
  const text = vscode.l10n.t(
    "The local trainer ended unexpectedly ({0}). What it acknowledged is safe in its store; it is started again and goes on where it was.",
    why,
  );
  if ((await vscode.window.showWarningMessage(text, showLog)) === showLog) log.show();
}

/** `vscode://touchline.touchline/action/<id>` leads to one action. */
async function openUri(touchline: Touchline, uri: vscode.Uri): Promise<void> {
  const [kind, id] = uri.path.split("/").filter((part) => part !== "");
  try {
    if (kind === "action" && id !== undefined) await openAction(touchline, decodeURIComponent(id));
    else if (kind === "trajectory" && id !== undefined) await touchline.places.showInSidePanel(decodeURIComponent(id));
    else throw new Error(vscode.l10n.t("The link names no action and no trajectory."));
  } catch (error) {
    await reportError(vscode.l10n.t("Open Link"), error, touchline.log);
  }
}
