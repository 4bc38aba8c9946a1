// A stand-in for the extension host in a plain browser: answers the page wire from hand-made data. Development and tests only.
import "../policy.ts";
import type { ActionMark, ActionView } from "../../src/protocol/bridge.ts";
import type { Score } from "../../src/protocol/model.ts";
import type { Connection, QueuedOverride } from "../../src/protocol/webview.ts";
import { hostileTrajectory } from "./hostileData.ts";
import { longTrajectory, type MadeTrajectory, markOf, score, teamTrajectory } from "./teamData.ts";
import { trainingAnswers } from "./trainingData.ts";

const query = new URLSearchParams(location.search);
const made = madeTrajectory(query.get("data") ?? "team");
const views: ActionView[] = [...(made?.views ?? [])];
const hiddenCount = Number(query.get("later") ?? 0);
/** Live actions that arrive later, by `fakeHost.arrive`. */
const later = hiddenCount === 0 ? [] : views.splice(views.length - hiddenCount);
let queued: QueuedOverride[] = [];
const state = query.get("state") ?? "connected";

function madeTrajectory(name: string): MadeTrajectory | null {
  if (name === "none") return null;
  if (name === "hostile") return hostileTrajectory();
  if (name.startsWith("long")) return longTrajectory(Number(name.slice(4)) || 10_000);
  return teamTrajectory();
}

function connection(): Connection {
  const canOverride = state !== "restricted";
  if (state === "offline")
    return { state: "offline", message: "Trying again in 8 s.", queuedOverrides: queued.length, canOverride };
  if (state === "failed")
    return { state: "failed", message: "The token was refused.", queuedOverrides: 0, canOverride };
  if (state === "none") return { state: "none", message: "", queuedOverrides: 0, canOverride: false };
  return {
    state: "connected",
    message: canOverride ? "" : "This workspace is not trusted: scores can be read, not changed.",
    queuedOverrides: 0,
    canOverride,
  };
}

class WireError extends Error {
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

interface Params {
  readonly fromIndex: number;
  readonly limit: number;
  readonly actionId: string;
  readonly value: number;
  readonly rationale: string;
  readonly basedOn: string | null;
  readonly keep: string;
  readonly command: string;
}
const bodyOf = (actionId: string) => views.find((view) => view.action.id === actionId);

const answers: Readonly<Record<string, (params: Params) => unknown>> = {
  "page/ready": () => {
    if (query.get("broken") === "1") throw new Error("The bridge does not answer.");
    if (query.get("conflict") === "1") queued = [conflicting()];
    const trajectory = made === null ? null : { ...made.trajectory, actionCount: views.length };
    return {
      connection: connection(),
      trajectory,
      marks: views.slice(0, 2000).map(markOf),
      queued,
      fates: fates(),
      author: "Jana",
      blindFirst: query.get("blind") === "1",
      reveal: query.get("reveal"),
    };
  },
  "marks/get": ({ fromIndex }) => ({
    marks: views.slice(fromIndex, fromIndex + 2000).map(markOf) as ActionMark[],
    total: views.length,
  }),
  "action/list": ({ fromIndex, limit }) => {
    const items = views.slice(fromIndex, fromIndex + limit).map(cutView);
    return { items, nextIndex: null };
  },
  "override/set": ({ actionId, value, rationale, basedOn }) => {
    if (state === "offline") {
      const item: QueuedOverride = {
        requestId: `q${queued.length}`,
        actionId,
        trajectoryId: "t-1",
        value,
        rationale,
        author: "Jana",
        basedOn,
        at: new Date().toISOString(),
        state: "queued",
        current: null,
      };
      queued = [...queued.filter((other) => other.actionId !== actionId), item];
      announce("connection/changed", connection());
      return { score: null, queued: item, fate: null };
    }
    if (query.get("raced") === "1" && basedOn !== "raced") {
      throw new WireError(-32005, "Another score came first.", {
        current: {
          ...score(actionId, 5, "It is middling.", { kind: "override", source: "human", author: "Ana" }),
          id: "raced",
        },
        basedOn,
      });
    }
    const record: Score = {
      ...score(actionId, value, rationale, {
        kind: "override",
        source: "human",
        author: "Jana",
        basedOn,
        at: new Date().toISOString(),
      }),
      id: `${actionId}-o${Math.random()}`,
    };
    remember(record);
    return {
      score: record,
      queued: null,
      fate: {
        scoreId: record.id,
        actionId,
        state: "queued",
        iterationId: null,
        iterationIndex: null,
        policyVersion: null,
        checkpointSha256: null,
        message: "",
      },
    };
  },
  "override/undo": ({ actionId, basedOn }) => {
    const record: Score = {
      ...score(actionId, null, "", { kind: "undo", source: "human", author: "Jana", basedOn }),
      id: `${actionId}-u${Math.random()}`,
      missingReason: null,
    };
    remember(record);
    return { score: record };
  },
  "override/resolve": ({ keep }) => {
    const item = queued.at(0);
    queued = [];
    if (item === undefined || keep === "theirs") return { score: null };
    const record = {
      ...score(item.actionId, item.value, item.rationale, { kind: "override", source: "human", author: "Jana" }),
      id: "resolved",
    };
    remember(record);
    return { score: record };
  },
  "override/preview": ({ actionId, value }) => {
    const coach = bodyOf(actionId)?.scores.at(0)?.value ?? null;
    return {
      advantageBefore: coach === null ? null : (coach - 6) / 2.5,
      advantageAfter: (value - 6) / 2.5,
      batchSize: 192,
      message: "Against the mean and spread of this agent's batch.",
    };
  },
  "fates/get": () => ({ fates: fates() }),
  "blob/get": () => ({ base64: "", mime: "image/png" }),
  "action/text": () => ({ text: "", total: 0 }),
};

function fates() {
  return [
    {
      scoreId: "a1-soverride-online",
      actionId: "a1",
      state: "used",
      iterationId: "it-3",
      iterationIndex: 3,
      policyVersion: "executor@v4",
      checkpointSha256: "c0ffee1234567890",
      message: "",
    },
  ];
}

function conflicting(): QueuedOverride {
  return {
    requestId: "q1",
    actionId: "a2",
    trajectoryId: "t-1",
    value: 3,
    rationale: "It only repeats what the executor printed.",
    author: "Jana",
    basedOn: null,
    at: "2026-03-04T10:00:00.000Z",
    state: "conflict",
    current: score("a2", 9, "Two independent sources.", { kind: "override", source: "human", author: "Ana" }),
  };
}

/** As the bridge does: long text is cut, and its full length told. */
function cutView(view: ActionView): ActionView {
  const cut = { ...view.cut };
  const toolCalls = view.action.toolCalls.map((call, place) => {
    if (call.stderr.length <= 16_384) return call;
    cut[`toolCalls/${place}/stderr`] = call.stderr.length;
    return { ...call, stderr: `${call.stderr.slice(0, 8192)}\n…\n${call.stderr.slice(-8192)}` };
  });
  return { ...view, action: { ...view.action, toolCalls }, cut };
}

function remember(record: Score): void {
  const index = views.findIndex((view) => view.action.id === record.actionId);
  const view = views[index];
  if (view !== undefined) views[index] = { ...view, scores: [...view.scores, record] };
}

function announce(method: string, params: unknown): void {
  window.postMessage({ jsonrpc: "2.0", method, params }, "*");
}

const asked: { method: string; params: unknown }[] = [];

async function receive(message: { id?: number; method?: string; params?: unknown }): Promise<void> {
  if (message.method === undefined || message.id === undefined) return;
  asked.push({ method: message.method, params: message.params });
  // The wire packs parameters by name as one object, or as a list with that object.
  const params = (Array.isArray(message.params) ? message.params[0] : message.params) as Params;
  await new Promise((resolve) => setTimeout(resolve, Number(query.get("delay") ?? 5)));
  if (state === "silent") return;
  const answer =
    (query.get("page") === "training" ? trainingAnswers(query, announce) : answers)[message.method] ?? (() => ({}));
  try {
    window.postMessage({ jsonrpc: "2.0", id: message.id, result: structuredClone(answer(params)) }, "*");
  } catch (error) {
    const code = error instanceof WireError ? error.code : -32603;
    const data = error instanceof WireError ? error.data : undefined;
    window.postMessage(
      {
        jsonrpc: "2.0",
        id: message.id,
        error: { code, message: error instanceof Error ? error.message : String(error), data },
      },
      "*",
    );
  }
}

let kept: unknown;
const host = {
  acquireVsCodeApi: () => ({
    postMessage: (message: object) => void receive(message),
    getState: () => kept,
    setState: (value: unknown) => {
      kept = value;
    },
  }),
  fakeHost: {
    asked,
    announce,
    /** Lets the next live action arrive. */
    arrive() {
      const view = later.shift();
      if (view === undefined) return;
      views.push(view);
      const { id, trajectoryId, runId, index, agent } = view.action;
      announce("event/batch", {
        events: [
          {
            kind: "action/added",
            seq: index,
            at: new Date().toISOString(),
            data: { actionId: id, trajectoryId, runId, index, agent },
          },
        ],
      });
    },
  },
};
Object.assign(window, host);

// Here nobody contributes keybindings: the keys VS Code would forward are forwarded by hand.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[0-9jkeuan=?]$/.test(event.key)) announce("key/pressed", { key: event.key });
});
document.documentElement.dataset.theme = query.get("theme") ?? "dark";
document.body.dataset.place = query.get("place") ?? "tab";
document.body.classList.add(
  `vscode-${{ dark: "dark", light: "light", "hc-dark": "high-contrast", "hc-light": "high-contrast-light" }[query.get("theme") ?? "dark"]}`,
);
