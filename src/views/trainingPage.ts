// The Training page: an editor tab with the curves of a run, kept live while it can be seen.
import type * as vscode from "vscode";
import { errorLine } from "../log.ts";
import type { Overrides } from "../overrides.ts";
import type { Event, Iteration } from "../protocol/model.ts";
import type { Handlers } from "../protocol/rpc.ts";
import { trainingPageContract } from "../protocol/webview.ts";
import { gatherPushes } from "../pushes.ts";
import type { TrainerLink } from "../trainerLink.ts";
import { connectionForPage } from "./connectionText.ts";
import { pageHtml, pageOptions } from "./page.ts";
import { openPageWire } from "./pageWire.ts";

/** What the Training page needs of the host. */
export interface TrainingPageNeeds {
  readonly extensionUri: vscode.Uri;
  readonly link: TrainerLink;
  readonly overrides: Overrides;
  readonly log: vscode.LogOutputChannel;
  readonly runCommand: (command: string) => Promise<void>;
  readonly showIteration: (iterationId: string) => Promise<void>;
  /** The run the person works with; told when they choose another. */
  readonly currentRunId: () => string | null;
  readonly chooseRun: (runId: string) => void;
}

/** Draws the page in its tab; what is returned ends it. */
export function openTrainingPage(panel: vscode.WebviewPanel, needs: TrainingPageNeeds): vscode.Disposable {
  const { link, overrides, log, extensionUri } = needs;
  let isReady = false;
  let isAnsweredEmpty = false;
  let runId: string | null = null;

  const connection = () => connectionForPage(link.status, overrides.waiting().length);
  const handlers: Handlers<typeof trainingPageContract> = {
    "page/ready": async () => {
      isReady = true;
      isAnsweredEmpty = link.status.state !== "connected";
      if (isAnsweredEmpty)
        return { connection: connection(), status: null, runs: [], runId: null, iterations: [], checkpoints: [] };
      const [status, { items: runs }] = await Promise.all([
        link.request("status/get", {}),
        link.request("run/list", { limit: 500 }),
      ]);
      const wanted = needs.currentRunId() ?? status.activeIteration?.runId ?? null;
      const training = runs.filter((run) => run.kind === "training");
      runId = training.find((run) => run.id === wanted)?.id ?? training[0]?.id ?? null;
      return {
        connection: connection(),
        status,
        runs,
        runId,
        ...(runId === null ? { iterations: [], checkpoints: [] } : await historyOf(runId)),
      };
    },
    "run/select": async (params) => {
      runId = params.runId;
      needs.chooseRun(params.runId);
      return historyOf(params.runId);
    },
    "command/run": async ({ command }) => {
      await needs.runCommand(command);
      return {};
    },
    "iteration/show": async ({ iterationId }) => {
      await needs.showIteration(iterationId);
      return {};
    },
  };

  /** Every iteration of the run, oldest first, and its checkpoints. */
  async function historyOf(id: string) {
    const iterations: Iteration[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: Iteration[]; next: string | null } = await link.request("iteration/list", {
        runId: id,
        cursor,
        limit: 500,
      });
      iterations.push(...page.items);
      cursor = page.next;
    } while (cursor !== null);
    const { checkpoints } = await link.request("checkpoint/list", { runId: id });
    return { iterations: iterations.sort((a, b) => a.index - b.index), checkpoints };
  }

  const wire = openPageWire(panel.webview, trainingPageContract, handlers, log);
  const push = (tell: () => Promise<void>) => {
    if (!isReady || !panel.visible) return;
    tell().catch((error: unknown) => log.debug(`training page: ${errorLine(error)}`));
  };
  const tellStatus = () => {
    if (link.status.state !== "connected" || !isReady || !panel.visible) return;
    link
      .request("status/get", {})
      .then((status) => push(() => wire.tell("status/changed", status)))
      .catch((error: unknown) => log.debug(`training page: ${errorLine(error)}`));
  };
  const reload = () => {
    if (!isReady) return;
    isReady = false;
    panel.webview.html = pageHtml(panel.webview, extensionUri, "training");
  };
  const pushes = gatherPushes<Event>((events) => {
    for (const event of newest(events)) {
      if (event.kind === "iteration/changed") push(() => wire.tell("iteration/changed", event.data));
      else if (event.kind === "run/changed") push(() => wire.tell("run/changed", event.data));
      else if (event.kind === "checkpoint/published") push(() => wire.tell("checkpoint/published", event.data));
    }
    if (events.some((event) => event.kind === "engine/changed" || event.kind === "iteration/changed")) tellStatus();
  }, reload);
  const endings = [
    wire,
    pushes,
    link.onEvents((events) => {
      if (isReady && panel.visible) pushes.add(events.filter(isShown));
    }),
    link.onStatus(({ state }) => {
      if (state === "connected" && isAnsweredEmpty) return reload();
      push(() => wire.tell("connection/changed", connection()));
      tellStatus();
    }),
    link.onSnapshot(reload),
  ];
  panel.webview.options = pageOptions(extensionUri);
  panel.webview.html = pageHtml(panel.webview, extensionUri, "training");
  return { dispose: () => endings.forEach((ending) => void ending.dispose()) };
}

function isShown(event: Event): boolean {
  return (
    event.kind === "iteration/changed" ||
    event.kind === "run/changed" ||
    event.kind === "checkpoint/published" ||
    event.kind === "engine/changed"
  );
}

/** The last event of each record, in order: a page that is told ten times a second needs no state in between. */
function newest(events: readonly Event[]): Event[] {
  const last = new Map<string, Event>();
  for (const event of events) {
    const key = "id" in event.data ? `${event.kind} ${event.data.id}` : event.kind;
    last.delete(key);
    last.set(key, event);
  }
  return [...last.values()];
}
