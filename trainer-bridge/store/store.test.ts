// The store keeps what it acknowledged, counts what it keeps, and numbers every change.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Event, Trajectory } from "../../src/protocol/model.ts";
import { fakeAction, fakeRun, fakeScore, fakeToolCall, fakeTrajectory } from "./fakeRecords.ts";
import { openStore, type Store } from "./store.ts";

let dir: string;
let store: Store;
const first = { cursor: null, limit: 10 };

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "store-"));
  store = openStore(dir);
  store.createRun(fakeRun());
});

afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true });
});

/** A trajectory with one action for each value; null is a missing score, undefined none at all. */
function scored(id: string, values: readonly (number | null | undefined)[]): void {
  store.addTrajectory(fakeTrajectory(id));
  for (const [index, value] of values.entries()) {
    const action = fakeAction(`${id}-${index}`, id, index);
    store.addAction(action, null, value === undefined ? [] : [fakeScore(`${action.id}-s`, action, value)]);
  }
}

function overridden(actionId: string, value: number, basedOn: string | null, requestId = `${actionId}-o${value}`) {
  return store.setOverride({
    requestId,
    actionId,
    value,
    rationale: "Read it.",
    author: "Ada",
    basedOn,
    tags: ["math"],
  });
}

const totals = (id: string) => {
  const { actionCount, meanScore, minScore, missingScoreCount, overrideCount } = store.trajectory(id);
  return { actionCount, meanScore, minScore, missingScoreCount, overrideCount };
};

describe("counts of a trajectory", () => {
  test.each([
    ["no action", [], { actionCount: 0, meanScore: null, minScore: null, missingScoreCount: 0, overrideCount: 0 }],
    ["two scores", [4, 8], { actionCount: 2, meanScore: 6, minScore: 4, missingScoreCount: 0, overrideCount: 0 }],
    ["a zero", [0, 10], { actionCount: 2, meanScore: 5, minScore: 0, missingScoreCount: 0, overrideCount: 0 }],
    [
      "a missing score",
      [null, 3],
      { actionCount: 2, meanScore: 3, minScore: 3, missingScoreCount: 1, overrideCount: 0 },
    ],
    [
      "an action no coach saw",
      [undefined, 3],
      { actionCount: 2, meanScore: 3, minScore: 3, missingScoreCount: 0, overrideCount: 0 },
    ],
  ])("with %s", (_name, values, expected) => {
    scored("t", values);
    expect(totals("t")).toEqual(expected);
  });

  test("follow overrides up, down and back", () => {
    scored("t", [4, 8, null]);
    overridden("t-0", 10, "t-0-s");
    expect(totals("t")).toMatchObject({ meanScore: 9, minScore: 8, missingScoreCount: 1, overrideCount: 1 });
    overridden("t-2", 0, null);
    expect(totals("t")).toMatchObject({ meanScore: 6, minScore: 0, missingScoreCount: 0, overrideCount: 2 });
    store.undoOverride({ requestId: "u", actionId: "t-2", author: "Ada", basedOn: "t-2-o0" });
    expect(totals("t")).toMatchObject({ meanScore: 9, minScore: 8, missingScoreCount: 1, overrideCount: 1 });
    expect(store.counts()).toEqual({ runs: 1, trajectories: 1, actions: 3, overrides: 1, missingScores: 1 });
  });

  test("are the same for a batch as one by one", () => {
    scored("one", [4, null, 8]);
    const actions = [4, null, 8].map((value, index) => {
      const action = fakeAction(`all-${index}`, "all", index);
      return { action, tokens: null, scores: [fakeScore(`${action.id}-s`, action, value)] };
    });
    expect(store.addTrajectories([{ trajectory: fakeTrajectory("all"), actions }])).toEqual({
      added: 1,
      duplicates: 0,
    });
    expect(totals("all")).toEqual(totals("one"));
    expect(store.run("run-1")).toMatchObject({ trajectoryCount: 2, actionCount: 6 });
  });

  test("are the same for live actions added many at once, each with its event", () => {
    scored("one", [4, null, 8]);
    store.addTrajectory(fakeTrajectory("many"));
    const seq = store.lastSeq();
    store.addActions(
      [4, null, 8].map((value, index) => {
        const action = fakeAction(`many-${index}`, "many", index);
        return { action, tokens: null, scores: [fakeScore(`${action.id}-s`, action, value)] };
      }),
    );
    expect(totals("many")).toEqual(totals("one"));
    expect(store.eventsAfter(seq, 100).map(({ kind }) => kind)).toEqual([
      "action/added",
      "score/added",
      "action/added",
      "score/added",
      "action/added",
      "score/added",
    ]);
  });

  test("are not believed when they come from outside", () => {
    store.addTrajectory(fakeTrajectory("t", { actionCount: 99, meanScore: 9.9, overrideCount: 3 }));
    expect(totals("t")).toEqual({
      actionCount: 0,
      meanScore: null,
      minScore: null,
      missingScoreCount: 0,
      overrideCount: 0,
    });
  });
});

describe("an action", () => {
  test("comes back as it was, with its tokens to the last bit", () => {
    store.addTrajectory(fakeTrajectory("t"));
    const action = fakeAction("a", "t", 0, { text: "NUL \0, lone \ud800, ünïcode 🙂", thinking: "hm" });
    const tokens = {
      actionId: "a",
      promptTokenIds: [0, 4294967295],
      tokenIds: [7],
      logprobs: [-0.1234567890123456],
      temperature: 0.7,
    };
    store.addAction(action, tokens);
    expect(store.action("a")).toEqual(action);
    expect(store.tokens("a")).toEqual(tokens);
    expect(store.actions("t", 0, 10)).toEqual([action]);
  });

  test("keeps head and tail of a long output, and the whole as a blob", () => {
    store.addTrajectory(fakeTrajectory("t"));
    const stdout = `first line\n${"é".repeat(100_000)}\nlast line`;
    const call = {
      ...fakeToolCall("c", stdout),
      outputs: [{ mime: "text/html", text: stdout, blob: null, sizeBytes: 1 }],
    };
    store.addAction(fakeAction("a", "t", 0, { toolCalls: [call] }), null);
    const [kept] = store.action("a").toolCalls;
    expect(kept?.stdout.length).toBeLessThan(40_000);
    expect(kept?.stdout).toMatch(/^first line.*characters left out.*last line$/s);
    expect(store.blob(kept?.stdoutBlob ?? "")?.bytes.toString()).toBe(stdout);
    expect(kept?.outputs[0]).toMatchObject({ text: null, blob: kept?.stdoutBlob });
    expect(store.search("first last line", {}, first).items).toHaveLength(1);
  });

  test("shows in marks with coach and override apart", () => {
    scored("t", [4, null, undefined]);
    overridden("t-0", 9, "t-0-s");
    expect(store.marks("t", 0, 2)).toMatchObject({
      total: 3,
      marks: [
        { actionId: "t-0", index: 0, agent: "solver", coach: 4, override: 9, toolStatus: "ok" },
        { actionId: "t-1", index: 1, coach: null, override: null },
      ],
    });
  });

  test.each([
    ["action", () => store.action("x")],
    ["trajectory", () => store.trajectory("x")],
    ["run", () => store.trajectories({ runId: "x" }, first)],
    ["iteration", () => store.iteration("x")],
    ["trajectory", () => store.addAction(fakeAction("a", "x", 0), null)],
  ])("without a record: a %s that is not there is said so", (noun, ask) => {
    expect(ask).toThrow(expect.objectContaining({ code: "notFound", message: `There is no ${noun} with the id x.` }));
  });
});

describe("lists", () => {
  test("go on by key while new trajectories arrive", () => {
    for (const id of ["a", "b", "c", "d", "e"]) scored(id, []);
    const page = store.trajectories({}, { cursor: null, limit: 2 });
    scored("f", []);
    const next = store.trajectories({}, { cursor: page.next, limit: 2 });
    const last = store.trajectories({}, { cursor: next.next, limit: 2 });
    expect([page, next, last].map(({ items }) => items.map(({ id }) => id))).toEqual([["e", "d"], ["c", "b"], ["a"]]);
    expect(last.next).toBeNull();
  });

  test.each([
    ["success", { success: true }, ["won"]],
    ["no success", { success: false }, ["failed", "lost"]],
    ["an outcome", { outcome: "running" as const }, ["running"]],
    ["an iteration", { iterationId: "i" }, ["lost"]],
    ["a purpose", { purpose: "evaluation" as const }, ["won"]],
    ["a run", { runId: "run-1" }, ["running", "failed", "lost", "won"]],
  ])("are filtered by %s", (_name, filter, ids) => {
    const outcome = { kind: "completed" as const, reward: 1, answer: null, boundary: null, message: null };
    store.addTrajectory(fakeTrajectory("won", { purpose: "evaluation", outcome }));
    store.addTrajectory(fakeTrajectory("lost", { iterationId: "i", outcome: { ...outcome, reward: 0 } }));
    store.addTrajectory(fakeTrajectory("failed", { outcome: { ...outcome, kind: "failed", reward: null } }));
    store.addTrajectory(fakeTrajectory("running"));
    expect(store.trajectories(filter, first).items.map(({ id }) => id)).toEqual(ids);
  });

  test("of trajectories fit the wire", () => {
    scored("t", [4, 8]);
    expect(Trajectory.parse(store.trajectory("t"))).toEqual(store.trajectory("t"));
  });
});

describe("events", () => {
  test("are numbered without gaps, the same to a listener as to a reader, and fit the wire", () => {
    const heard: Event[] = [];
    store.onEvent((event) => heard.push(event));
    const before = store.lastSeq();
    scored("t", [4]);
    overridden("t-0", 7, "t-0-s");
    store.finishTrajectory(
      "t",
      { kind: "completed", reward: 1, answer: "4", boundary: null, message: null },
      "2026-01-01T00:00:09.000Z",
    );
    store.announceEngine("ready", "cpu");
    const read = store.eventsAfter(before, 1000);
    expect(read).toEqual(heard);
    expect(read.map(({ seq }) => seq)).toEqual(read.map((_, place) => before + 1 + place));
    expect(read.map((event) => Event.parse(event))).toEqual(read);
    expect(read.map(({ kind }) => kind)).toEqual([
      "trajectory/changed",
      "run/changed",
      "action/added",
      "score/added",
      "score/added",
      "trajectory/changed",
      "run/changed",
      "engine/changed",
    ]);
  });

  test("stay without gaps after a change that was taken back", () => {
    scored("t", [4]);
    const seq = store.lastSeq();
    const heard: Event[] = [];
    store.onEvent((event) => heard.push(event));
    expect(() => store.addAction(fakeAction("t-0", "t", 1), null)).toThrow(
      expect.objectContaining({ code: "conflict" }),
    );
    expect(heard).toEqual([]);
    expect(totals("t")).toMatchObject({ actionCount: 1 });
    expect(store.lastSeq()).toBe(seq);
    store.announceEngine("ready", "");
    expect(heard.map((event) => event.seq)).toEqual([seq + 1]);
  });

  test("beyond the cap go, oldest first, and numbering goes on after a restart", () => {
    store.close();
    store = openStore(dir, { eventCap: 5 });
    for (let i = 0; i < 20; i += 1) store.announceEngine("ready", `${i}`);
    expect(store.lastSeq() - store.firstSeq() + 1).toBe(5);
    expect(store.eventsAfter(0, 100).map(({ seq }) => seq)).toEqual([17, 18, 19, 20, 21]);
    store.close();
    store = openStore(dir, { eventCap: 5 });
    expect([store.firstSeq(), store.lastSeq()]).toEqual([17, 21]);
  });

  test("caused by a listener come after those it heard", () => {
    const heard: number[] = [];
    store.onEvent((event) => {
      if (event.kind === "trajectory/changed" && event.data.id === "t") store.announceEngine("ready", "");
    });
    store.onEvent(({ seq }) => heard.push(seq));
    scored("t", []);
    expect(heard).toEqual(heard.toSorted((a, b) => a - b));
    expect(heard).toHaveLength(3);
  });
});
