// The trees' lists: one request a page, kept fresh by events alone.
import { expect, test, vi } from "vitest";
import { isIn, Library } from "./library.ts";
import type { Event, Run, Trajectory } from "./protocol/model.ts";
import type { TrainerLink } from "./trainerLink.ts";

const run = (id: string, name = id) => ({ id, name, kind: "training", trajectoryCount: 0 }) as unknown as Run;
const trajectory = (id: string, kind = "completed", reward: number | null = 1, runId = "r1") =>
  ({ id, runId, iterationId: "i1", purpose: "train", outcome: { kind, reward } }) as unknown as Trajectory;
const event = (kind: string, data: unknown) => ({ kind, seq: 1, at: "", data }) as unknown as Event;

function library(answers: Record<string, readonly unknown[]>) {
  const request = vi.fn(async (method: string) => {
    const [first, ...rest] = answers[method] ?? [];
    answers[method] = rest;
    if (first === undefined) throw new Error(`no further answer for ${method}`);
    return first;
  });
  return { request, library: new Library({ request } as unknown as Pick<TrainerLink, "request">, vi.fn()) };
}

test("a list is asked for once, and its next page only when wanted", async () => {
  const { library: lists, request } = library({
    "trajectory/list": [
      { items: [trajectory("t3"), trajectory("t2")], next: "c" },
      { items: [trajectory("t2"), trajectory("t1")], next: null },
    ],
  });
  await lists.trajectories({ runId: "r1" });
  await lists.trajectories({ runId: "r1" });
  expect(request).toHaveBeenCalledOnce();
  const all = await lists.trajectories({ runId: "r1" }, true);
  expect(all.items.map(({ id }) => id)).toEqual(["t3", "t2", "t1"]);
  expect(request).toHaveBeenLastCalledWith("trajectory/list", { runId: "r1", cursor: "c", limit: 100 });
});

test("a live trajectory comes to the front of its list, and is replaced there, with no request", async () => {
  const { library: lists, request } = library({ "trajectory/list": [{ items: [trajectory("t1")], next: null }] });
  await lists.trajectories({ runId: "r1" });
  lists.apply([event("trajectory/changed", trajectory("t2", "running", null))]);
  lists.apply([event("trajectory/changed", trajectory("t2", "completed", 0))]);
  lists.apply([event("trajectory/changed", trajectory("elsewhere", "completed", 0, "r2"))]);
  const { items } = await lists.trajectories({ runId: "r1" });
  expect(items.map(({ id, outcome }) => [id, outcome.reward])).toEqual([
    ["t2", 0],
    ["t1", 1],
  ]);
  expect(request).toHaveBeenCalledOnce();
});

test("a trajectory that no longer fits a filter leaves its list", async () => {
  const { library: lists } = library({
    "trajectory/list": [{ items: [trajectory("t1", "failed", null)], next: null }],
  });
  await lists.trajectories({ success: false });
  lists.apply([event("trajectory/changed", trajectory("t1"))]);
  expect((await lists.trajectories({ success: false })).items).toEqual([]);
});

test("a new run is told as a change of everything, a changed one as its own", async () => {
  const { library: lists } = library({ "run/list": [{ items: [run("r1")], next: null }] });
  await lists.runs();
  const changes: { all: boolean; runIds: ReadonlySet<string> }[] = [];
  lists.onChange((change) => void changes.push(change));
  lists.apply([event("run/changed", run("r1", "renamed"))]);
  lists.apply([event("run/changed", run("r2"))]);
  expect(changes.map(({ all, runIds }) => [all, [...runIds]])).toEqual([
    [false, ["r1"]],
    [true, ["r2"]],
  ]);
  expect((await lists.runs()).items.map(({ name }) => name)).toEqual(["r2", "renamed"]);
});

test("a snapshot reads everything anew", async () => {
  const { library: lists, request } = library({
    "run/list": [
      { items: [run("r1")], next: null },
      { items: [], next: null },
    ],
  });
  await lists.runs();
  lists.clear();
  expect((await lists.runs()).items).toEqual([]);
  expect(request).toHaveBeenCalledTimes(2);
});

test.each([
  [{ success: false }, trajectory("a", "failed", null), true],
  [{ success: false }, trajectory("a", "running", null), false],
  [{ success: false }, trajectory("a", "completed", 0.4), true],
  [{ success: true }, trajectory("a", "completed", 0.5), true],
  [{ purpose: "evaluation" as const }, trajectory("a"), false],
  [{ iterationId: "i2" }, trajectory("a"), false],
  [{}, trajectory("a"), true],
])("the filter %j takes the right trajectories", (filter, one, expected) => {
  expect(isIn(filter, one)).toBe(expected);
});
