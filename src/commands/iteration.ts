// Commands that make the trainer work: runs, rollouts and iterations.
import * as vscode from "vscode";
import type { Iteration, Run } from "../protocol/model.ts";
import { Problem } from "../report.ts";
import type { Touchline } from "../touchline.ts";
import { percent, stateText } from "../views/moments.ts";

/** Makes a training run and chooses it. */
export async function newRun({ link, work, library }: Touchline): Promise<Run | undefined> {
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t("New Run"),
    prompt: vscode.l10n.t("Name of the run"),
    value: vscode.l10n.t("Run of {0}", new Date().toLocaleDateString(vscode.env.language)),
    ignoreFocusOut: true,
  });
  if (name === undefined || name.trim() === "") return undefined;
  const teams = [
    {
      label: vscode.l10n.t("Small maths team"),
      description: "tiny-math",
      detail: vscode.l10n.t("Three agents on word problems; trains in seconds on a laptop"),
    },
    {
      label: vscode.l10n.t("MathChat team"),
      description: "math-chat",
      detail: vscode.l10n.t("Problem Solver, Code Executor and Verifier, for a large model"),
    },
  ];
  const team = await vscode.window.showQuickPick(teams, { title: vscode.l10n.t("Workflow of {0}", name) });
  if (team === undefined) return undefined;
  const taskSet = await vscode.window.showInputBox({
    title: vscode.l10n.t("Tasks of {0}", name),
    prompt: vscode.l10n.t("Name of a task set that the trainer knows"),
    value: "arithmetic",
    ignoreFocusOut: true,
  });
  if (taskSet === undefined) return undefined;
  const run = await link.request("run/create", {
    name: name.trim(),
    workflow: team.description,
    taskSet: taskSet.trim(),
  });
  library.apply([{ kind: "run/changed", seq: 0, at: run.createdAt, data: run }]);
  work.chooseRun(run.id);
  return run;
}

/** Rolls out without training, with progress that can be cancelled; what is finished is kept. */
export async function startRollouts(touchline: Touchline, node?: unknown): Promise<void> {
  const run = runIn(node) ?? (await trainingRun(touchline));
  if (run === undefined) return;
  const answer = await vscode.window.showInputBox({
    title: vscode.l10n.t("Start Rollouts in {0}", run.name),
    prompt: vscode.l10n.t("How many tasks?"),
    value: "16",
    validateInput: (value) => wholeNumberProblem(value, 10_000),
  });
  if (answer === undefined) return;
  const result = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t("Rollouts"), cancellable: true },
    (progress, cancellation) => {
      let last = 0;
      return touchline.link.request(
        "rollout/start",
        { runId: run.id, taskCount: Number(answer) },
        {
          cancellation,
          onProgress: ({ done, total }) => {
            progress.report({
              message: vscode.l10n.t("{0} of {1}", done, total),
              increment: total > 0 ? ((done - last) / total) * 100 : 0,
            });
            last = done;
          },
        },
      );
    },
  );
  void tellRollouts(result);
}

async function tellRollouts(result: { completed: number; failed: number; cancelled: number }): Promise<void> {
  const show = vscode.l10n.t("Show Review Queue");
  const text = vscode.l10n.t(
    "Rollouts: {0} completed, {1} failed, {2} cancelled.",
    result.completed,
    result.failed,
    result.cancelled,
  );
  if ((await vscode.window.showInformationMessage(text, show)) === show)
    await vscode.commands.executeCommand("touchline.queue.focus");
}

/** Starts the next iteration, or several, and follows them to their end. */
export async function startIteration(touchline: Touchline, node?: unknown): Promise<void> {
  const run = runIn(node) ?? (await trainingRun(touchline));
  if (run === undefined) return;
  touchline.work.chooseRun(run.id);
  const choices = [
    { label: vscode.l10n.t("Once"), repeat: 0, review: "none" as const },
    { label: vscode.l10n.t("Once, and wait for my review before training"), repeat: 0, review: "all" as const },
    ...[5, 10, 20].map((times) => ({
      label: vscode.l10n.t("{0} times", times),
      repeat: times - 1,
      review: "none" as const,
    })),
    { label: vscode.l10n.t("Other…"), repeat: null, review: "none" as const },
  ];
  const choice = await vscode.window.showQuickPick(choices, {
    title: vscode.l10n.t("Start Iteration in {0}", run.name),
  });
  if (choice === undefined) return;
  let repeat: number | null = choice.repeat;
  if (repeat === null) {
    const answer = await vscode.window.showInputBox({
      title: vscode.l10n.t("How many iterations?"),
      value: "3",
      validateInput: (value) => wholeNumberProblem(value, 1000),
    });
    if (answer === undefined) return;
    repeat = Number(answer) - 1;
  }
  const iteration = await touchline.link.request("iteration/start", {
    runId: run.id,
    config: { review: choice.review },
    repeat,
  });
  // The notification lives as long as the work; the command is done when the work has begun.
  void follow(touchline, iteration, iteration.index + repeat);
}

/** Shows the progress of iterations up to the one with index `last`; cancelling asks first. */
async function follow({ link }: Touchline, first: Iteration, last: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<Iteration>();
  let newest = first;
  const final = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t("Iteration {0}", first.index),
      cancellable: true,
    },
    async (progress, cancellation) => {
      const show = ({ index, state, progress: { done, total } }: Iteration) =>
        progress.report({
          message: `${last > first.index ? vscode.l10n.t("{0} of {1}, ", index - first.index + 1, last - first.index + 1) : ""}${stateText(state)}${total > 0 ? ` ${done}/${total}` : ""}`,
        });
      show(first);
      const events = link.onEvents((batch) => {
        for (const event of batch) {
          if (event.kind !== "iteration/changed" || event.data.runId !== first.runId || event.data.index < first.index)
            continue;
          newest = event.data;
          show(newest);
          const isOver =
            newest.state === "done"
              ? newest.index >= last
              : ["cancelled", "failed", "reviewing", "paused"].includes(newest.state);
          if (isOver) resolve(newest);
        }
      });
      const status = link.onStatus(({ state }) => {
        if (state === "none" || state === "failed") resolve(newest);
      });
      cancellation.onCancellationRequested(() => {
        link.request("iteration/cancel", { iterationId: newest.id }).then(resolve, () => resolve(newest));
      });
      try {
        return await promise;
      } finally {
        events.dispose();
        status.dispose();
      }
    },
  );
  await tellEnd(final);
}

async function tellEnd({ index, state, evaluationBefore, evaluationAfter, message }: Iteration): Promise<void> {
  const open = vscode.l10n.t("Open Training");
  const queue = vscode.l10n.t("Show Review Queue");
  let chosen: string | undefined;
  if (state === "done")
    chosen = await vscode.window.showInformationMessage(
      vscode.l10n.t(
        "Iteration {0} is done. Success on held-out tasks: {1} before, {2} after.",
        index,
        percent(evaluationBefore?.rate),
        percent(evaluationAfter?.rate),
      ),
      open,
    );
  else if (state === "reviewing")
    chosen = await vscode.window.showInformationMessage(
      vscode.l10n.t(
        "Iteration {0} waits for your review. Training starts when you run “Finish Review and Train”.",
        index,
      ),
      queue,
    );
  else if (state === "failed")
    chosen = await vscode.window.showErrorMessage(
      vscode.l10n.t(
        "Iteration {0} failed: {1} Its rollouts and scores are kept. Resume it when the cause is gone.",
        index,
        message ?? "",
      ),
      open,
    );
  if (chosen === open) await vscode.commands.executeCommand("touchline.openTraining");
  if (chosen === queue) await vscode.commands.executeCommand("touchline.queue.focus");
}

/** Pauses, resumes, cancels or releases the iteration of the row, else the running one. */
export async function controlIteration(
  touchline: Touchline,
  verb: "pause" | "resume" | "cancel" | "reviewed",
  node?: unknown,
): Promise<void> {
  const iteration =
    iterationIn(node) ?? touchline.work.iteration ?? (verb === "resume" ? await failedIteration(touchline) : null);
  if (iteration === null) throw new Problem(vscode.l10n.t("No iteration is running. Nothing was changed."));
  if (verb === "cancel") {
    const cancel = vscode.l10n.t("Cancel Iteration");
    const answer = await vscode.window.showWarningMessage(
      vscode.l10n.t("Cancel iteration {0}?", iteration.index),
      {
        modal: true,
        detail: vscode.l10n.t(
          "Finished rollouts and scores are kept. Steps of training already taken stay in the policies.",
        ),
      },
      cancel,
    );
    if (answer !== cancel) return;
  }
  const result = await touchline.link.request(`iteration/${verb}`, { iterationId: iteration.id });
  if (verb === "reviewed" || verb === "resume") void follow(touchline, result, result.index);
}

/** An iteration that failed may be resumed, though it is not active. */
async function failedIteration({ work, library }: Touchline): Promise<Iteration | null> {
  const run = await work.run();
  if (run === undefined) return null;
  const newest = (await library.iterations(run.id)).items.toSorted((a, b) => b.index - a.index)[0];
  return newest?.state === "failed" ? newest : null;
}

async function trainingRun(touchline: Touchline): Promise<Run | undefined> {
  const { items } = await touchline.library.runs();
  const runs = items.filter((run) => run.kind === "training");
  if (runs.length === 0) return newRun(touchline);
  if (runs.length === 1) return runs[0];
  const current = await touchline.work.run();
  const choices = runs
    .toSorted((a, b) => Number(b.id === current?.id) - Number(a.id === current?.id))
    .map((run) => ({ label: run.name, description: vscode.l10n.t("{0} trajectories", run.trajectoryCount), run }));
  return (await vscode.window.showQuickPick(choices, { title: vscode.l10n.t("In which run?") }))?.run;
}

function runIn(node: unknown): Run | undefined {
  return isNode(node, "run") ? (node as { run: Run }).run : undefined;
}

function iterationIn(node: unknown): Iteration | null {
  return isNode(node, "iteration") ? (node as { iteration: Iteration }).iteration : null;
}

/** A row of the Runs tree, as VS Code hands it to a command of its menu. */
function isNode(node: unknown, kind: string): boolean {
  return typeof node === "object" && node !== null && "kind" in node && node.kind === kind;
}

function wholeNumberProblem(value: string, most: number): string | undefined {
  const number = Number(value);
  return Number.isInteger(number) && number >= 1 && number <= most
    ? undefined
    : vscode.l10n.t("A whole number from 1 to {0}.", most);
}
