// How fast the store is with many actions in it: ingest, overrides, lists, search, and the memory it takes.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fakeAction, fakeRun, fakeScore, fakeToolCall, fakeTrajectory } from "../trainer-bridge/store/fakeRecords.ts";
import { openStore, type Store, type WholeTrajectory } from "../trainer-bridge/store/store.ts";
import type { Figure } from "./figure.ts";

const ACTIONS_PER_TRAJECTORY = 50;
const TRAJECTORIES_PER_BATCH = 20;
const OVERRIDES = 1000;

/** Measures a store of `actionCount` actions in a temporary folder. */
export async function run(actionCount = 100_000): Promise<Figure[]> {
  const dir = mkdtempSync(path.join(tmpdir(), "bench-store-"));
  try {
    const rssBefore = process.memoryUsage.rss();
    const store = openStore(dir);
    store.createRun(fakeRun());
    const perSecond = await ingest(store, actionCount);
    const live = await addLive(store);
    const overrides = await override(store, actionCount);
    const size = `${(actionCount / 1000).toLocaleString("en")}k actions`;
    const figures: Figure[] = [
      { name: `ingest in batches, ${size}`, value: round(perSecond), unit: "actions/s", goal: ">= 5000", peer: null },
      {
        name: "action with tokens, one by one, p99",
        value: round(percentile(live, 0.99)),
        unit: "ms",
        goal: "< 20",
        peer: null,
      },
      {
        name: `override acknowledged, p50, ${size}`,
        value: round(percentile(overrides, 0.5)),
        unit: "ms",
        goal: "< 20",
        peer: null,
      },
      {
        name: `override acknowledged, p99, ${size}`,
        value: round(percentile(overrides, 0.99)),
        unit: "ms",
        goal: "< 20",
        peer: null,
      },
      {
        name: `search, a rare word, slowest, ${size}`,
        value: slowest(() => store.search("rare777", {}, first)),
        unit: "ms",
        goal: "< 150",
        peer: null,
      },
      {
        name: `search, a common word in a run, slowest, ${size}`,
        value: slowest(() => store.search("reward", { runId: "run-1" }, first)),
        unit: "ms",
        goal: "< 150",
        peer: null,
      },
      {
        name: `search, a phrase, slowest, ${size}`,
        value: slowest(() => store.search('"the answer" bo*', {}, first)),
        unit: "ms",
        goal: "< 150",
        peer: null,
      },
      {
        name: `marks of 2,000 actions, ${size}`,
        value: slowest(() => store.marks("big", 5000, 2000)),
        unit: "ms",
        goal: "< 50",
        peer: null,
      },
      {
        name: `first 50 actions of a trajectory, ${size}`,
        value: slowest(() => store.actions("big", 5000, 50)),
        unit: "ms",
        goal: "< 50",
        peer: null,
      },
      {
        name: `page of 100 trajectories, ${size}`,
        value: slowest(() => store.trajectories({ runId: "run-1" }, first)),
        unit: "ms",
        goal: "< 50",
        peer: null,
      },
    ];
    store.close();
    const openedIn = elapsed(() => openStore(dir).close());
    figures.push(
      { name: `store opened, ${size}`, value: round(openedIn), unit: "ms", goal: "< 500", peer: null },
      {
        name: `disk, ${size}`,
        value: round(sizeOf(dir) / actionCount),
        unit: "bytes/action",
        goal: "< 4000",
        peer: null,
      },
      {
        name: `memory grown while filling, ${size}`,
        value: round((process.memoryUsage.rss() - rssBefore) / 2 ** 20),
        unit: "MiB",
        goal: "< 250",
        peer: null,
      },
    );
    return figures;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const first = { cursor: null, limit: 100 };

/** The event loop runs between batches and overrides, as it does in the bridge. */
const breathe = () => new Promise<void>((resolve) => setImmediate(resolve));

async function ingest(store: Store, actionCount: number): Promise<number> {
  const size = ACTIONS_PER_TRAJECTORY * TRAJECTORIES_PER_BATCH;
  let spentMs = 0;
  store.addTrajectories([whole("big", Math.min(10_000, actionCount))]);
  for (let from = 0; from < actionCount; from += size) {
    const batch = Array.from({ length: TRAJECTORIES_PER_BATCH }, (_, place) =>
      whole(`t${from / ACTIONS_PER_TRAJECTORY + place}`, ACTIONS_PER_TRAJECTORY),
    );
    spentMs += elapsed(() => store.addTrajectories(batch));
    await breathe();
  }
  return actionCount / (spentMs / 1000);
}

function whole(id: string, length: number): WholeTrajectory {
  const actions = Array.from({ length }, (_, index) => {
    const action = fakeAction(`${id}-${index}`, id, index, {
      text: words(120, index),
      toolCalls: [fakeToolCall(`${id}-${index}-c`, words(30, index + 7))],
    });
    return { action, tokens: null, scores: [fakeScore(`${id}-${index}-s`, action, index % 11)] };
  });
  return { trajectory: fakeTrajectory(id), actions };
}

const vocabulary =
  "the answer is in a box so we add both sides and reward check carry number digit sum line code value error".split(
    " ",
  );

/** Words drawn by a fixed rule, with a rare one now and then. */
function words(count: number, seed: number): string {
  let state = seed * 2654435761 + 1;
  return Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state % 997 === 0
      ? `rare${state % 1000}`
      : (vocabulary[(state >> 8) % vocabulary.length] ?? "") + (state % 5 === 0 ? state % 3000 : "");
  }).join(" ");
}

async function addLive(store: Store): Promise<number[]> {
  store.addTrajectory(fakeTrajectory("live"));
  const times: number[] = [];
  for (let index = 0; index < 500; index += 1) {
    const action = fakeAction(`live-${index}`, "live", index, { text: words(60, index) });
    const numbers = Array.from({ length: 60 }, (_, place) => place);
    times.push(
      elapsed(() =>
        store.addAction(action, {
          actionId: action.id,
          promptTokenIds: numbers,
          tokenIds: numbers,
          logprobs: numbers,
          temperature: 1,
        }),
      ),
    );
    await breathe();
  }
  return times;
}

async function override(store: Store, actionCount: number): Promise<number[]> {
  const times: number[] = [];
  const trajectoryCount = Math.floor(actionCount / ACTIONS_PER_TRAJECTORY);
  for (let count = 0; count < OVERRIDES; count += 1) {
    const actionId = `t${(count * 7919) % trajectoryCount}-${count % ACTIONS_PER_TRAJECTORY}`;
    const basedOn = store.scores(actionId).at(-1)?.id ?? null;
    times.push(
      elapsed(() =>
        store.setOverride({
          requestId: `o${count}`,
          actionId,
          value: count % 11,
          rationale: "The sum is wrong.",
          author: "Ada",
          basedOn,
          tags: [],
        }),
      ),
    );
    await breathe();
  }
  return times;
}

function elapsed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** Of ten calls, the first included. */
const slowest = (work: () => unknown) => round(Math.max(...Array.from({ length: 10 }, () => elapsed(work))));

const percentile = (times: readonly number[], part: number) =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;

const round = (value: number) => Math.round(value * 100) / 100;

function sizeOf(dir: string): number {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((total, entry) => total + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}
