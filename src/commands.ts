// The command table: every command of the palette, what it needs, and whether a page may run it.
import * as vscode from "vscode";
import { connect, disconnect, repairTrainer, startLocalTrainer, stopLocalTrainer } from "./commands/connection.ts";
import { controlIteration, newRun, startIteration, startRollouts } from "./commands/iteration.ts";
import {
  copyActionId,
  filterRuns,
  nextInQueue,
  openAsText,
  openTrajectory,
  openTrajectoryInTab,
} from "./commands/reading.ts";
import { Problem, runReported } from "./report.ts";
import type { Touchline } from "./touchline.ts";
import type { RunsNode } from "./views/runsTree.ts";

/** A command. `needs`: a trusted workspace, a connection, or both; `isForPages`: a page may run it by its short name. */
interface Command {
  readonly run: (touchline: Touchline, ...args: unknown[]) => unknown;
  readonly needs?: readonly ("trust" | "connection")[];
  readonly isForPages?: true;
}

const CONTROL = { needs: ["trust", "connection"], isForPages: true } as const;
const READ = { needs: ["connection"], isForPages: true } as const;

/** A contributed keybinding that the focused page acts on. */
const key = (pressed: string): Command => ({ run: ({ places }) => places.current?.press(pressed) });

const table: Readonly<Record<string, Command>> = {
  connect: { run: connect, isForPages: true },
  startLocalTrainer: { run: startLocalTrainer, needs: ["trust"], isForPages: true },
  stopLocalTrainer: { run: stopLocalTrainer },
  repairTrainer: { run: repairTrainer, needs: ["trust"] },
  disconnect: { run: disconnect },
  retryConnection: { run: ({ link }) => link.retryNow(), isForPages: true },
  showLog: { run: ({ log }) => log.show(), isForPages: true },
  newRun: { run: newRun, ...CONTROL },
  startRollouts: { run: startRollouts, ...CONTROL },
  startIteration: { run: startIteration, ...CONTROL },
  pauseIteration: { run: (touchline, node) => controlIteration(touchline, "pause", node), ...CONTROL },
  resumeIteration: { run: (touchline, node) => controlIteration(touchline, "resume", node), ...CONTROL },
  cancelIteration: { run: (touchline, node) => controlIteration(touchline, "cancel", node), ...CONTROL },
  finishReview: { run: (touchline, node) => controlIteration(touchline, "reviewed", node), ...CONTROL },
  openTraining: { run: ({ training }) => training.open(), isForPages: true },
  openTrajectory: { run: openTrajectory },
  openTrajectoryInTab: {
    run: (touchline, what) => openTrajectoryInTab(touchline, what, vscode.ViewColumn.Active),
    ...READ,
  },
  openTrajectoryToSide: {
    run: (touchline, what) => openTrajectoryInTab(touchline, what, vscode.ViewColumn.Beside),
    ...READ,
  },
  revealInSidePanel: { run: openTrajectory, ...READ },
  openAsText: { run: openAsText, ...READ },
  showRuns: { run: () => vscode.commands.executeCommand("touchline.runs.focus"), isForPages: true },
  showQueue: { run: () => vscode.commands.executeCommand("touchline.queue.focus"), isForPages: true },
  nextInQueue: { run: nextInQueue, ...READ },
  searchActions: { run: async (touchline) => (await import("./commands/search.ts")).searchActions(touchline), ...READ },
  importTrajectories: {
    run: async (touchline, what) => (await import("./commands/importing.ts")).importTrajectories(touchline, what),
    ...CONTROL,
  },
  filterRuns: { run: filterRuns },
  refresh: { run: ({ library }) => library.clear() },
  loadMore: { run: ({ runs }, node) => runs.more(node as Extract<RunsNode, { kind: "more" }>) },
  copyActionId: { run: (_touchline, what) => copyActionId(what) },
  showKeybindings: {
    run: () => vscode.commands.executeCommand("workbench.action.openGlobalKeybindings", "@ext:touchline.touchline"),
    isForPages: true,
  },
  showKeys: key("?"),
  nextAction: key("j"),
  previousAction: key("k"),
  ...Object.fromEntries(
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"].map((digit) => [`setScore${digit}`, key(digit)]),
  ),
  setScore10: key("="),
  editReason: key("e"),
  undoOverride: key("u"),
  acceptCoach: key("a"),
};

/** Registers every command of the table; each ends in the one error door. */
export function registerCommands(touchline: Touchline): vscode.Disposable {
  const titles = titlesOf(touchline.context.extension);
  return vscode.Disposable.from(
    ...Object.keys(table).map((name) =>
      vscode.commands.registerCommand(`touchline.${name}`, (...args: unknown[]) =>
        runReported(
          titles.get(`touchline.${name}`) ?? "Touchline",
          () => runCommand(touchline, name, args),
          touchline.log,
        ),
      ),
    ),
  );
}

/** Runs a command for a page, where pages may. */
export async function runForPage(name: string): Promise<void> {
  if (table[name]?.isForPages !== true) throw new Error(`A page may not run the command “${name}”.`);
  await vscode.commands.executeCommand(`touchline.${name}`);
}

/** Enablement hides a command; this holds when it is run all the same, by a keybinding or by another extension. */
async function runCommand(touchline: Touchline, name: string, args: unknown[]): Promise<unknown> {
  const command = table[name];
  if (command === undefined) throw new Error(`There is no command ${name}.`);
  if (command.needs?.includes("trust") && !vscode.workspace.isTrusted) {
    throw new Problem(vscode.l10n.t("This waits for trust in the workspace. Reading works, and nothing was changed."), {
      title: vscode.l10n.t("Manage Trust"),
      command: "workbench.trust.manage",
    });
  }
  if (command.needs?.includes("connection") && touchline.link.status.state !== "connected") {
    throw new Problem(vscode.l10n.t("There is no connection to a trainer. Nothing was changed."), {
      title: vscode.l10n.t("Connect…"),
      command: "touchline.connect",
    });
  }
  return command.run(touchline, ...args);
}

function titlesOf(extension: vscode.Extension<unknown>): Map<string, string> {
  const manifest = extension.packageJSON as {
    contributes?: { commands?: readonly { command: string; title: string }[] };
  };
  return new Map(manifest.contributes?.commands?.map(({ command, title }) => [command, title]));
}
