// The Trajectory page's state: what each message does to it.
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/protocol/model.ts";
import { AGENTS, longTrajectory, type MadeTrajectory, markOf, score, teamTrajectory } from "../harness/teamData.ts";
import { initialState, isCovered, type Message, reduce, type State } from "./state.ts";

const AT = "2026-03-04T09:12:00.000Z";

function loadedState(
  made: MadeTrajectory,
  more: { blindFirst?: boolean; reveal?: string | null; selected?: number | null } = {},
): State {
  return reduce(initialState, {
    type: "loaded",
    selected: more.selected ?? null,
    snapshot: {
      connection: { state: "connected", message: "", queuedOverrides: 0, canOverride: true },
      trajectory: made.trajectory,
      marks: made.views.map(markOf),
      queued: [],
      fates: [],
      author: "Jana",
      blindFirst: more.blindFirst ?? false,
      reveal: more.reveal ?? null,
    },
  });
}

const after = (state: State, ...messages: Message[]) => messages.reduce(reduce, state);
const scored = (actionId: string, value: number | null, more = {}): Event => ({
  kind: "score/added",
  seq: 1,
  at: AT,
  data: { ...score(actionId, value, "", more), id: `new-${actionId}-${value}` },
});

describe("a snapshot", () => {
  test("is shown as it came", () => {
    const state = loadedState(teamTrajectory());
    expect(state.phase).toBe("ready");
    expect(state.marks.map((mark) => mark.agent).slice(0, 3)).toEqual(AGENTS);
    expect(state.selected).toBeNull();
  });

  test("without a trajectory leads to the empty page", () => {
    const made = teamTrajectory();
    const state = reduce(initialState, {
      type: "loaded",
      selected: null,
      snapshot: { ...loadedState(made), trajectory: null, marks: [], reveal: null },
    });
    expect(state.phase).toBe("none");
  });

  test("with an action to reveal selects it and wishes it into view", () => {
    const state = loadedState(teamTrajectory(), { reveal: "a3" });
    expect(state.selected).toBe(3);
    expect(state.wish?.index).toBe(3);
  });

  test("takes up the selection that was kept, but not one past the end", () => {
    expect(loadedState(teamTrajectory(), { selected: 2 }).selected).toBe(2);
    expect(loadedState(teamTrajectory(), { selected: 99 }).selected).toBe(5);
  });

  test("of the same trajectory keeps what the person was writing, and asks for bodies again", () => {
    const made = teamTrajectory();
    const before = after(
      loadedState(made),
      { type: "bodies", items: made.views },
      { type: "select", index: 4, isWished: false },
      { type: "draft", actionId: "a4", change: { value: 7, rationale: "because" } },
    );
    const state = reduce(before, { type: "loaded", selected: null, snapshot: { ...before, reveal: null } });
    expect(state.drafts.get("a4")).toMatchObject({ value: 7, rationale: "because" });
    expect(state.selected).toBe(4);
    expect(state.bodies.size).toBe(0);
  });

  test("of another trajectory leaves nothing of the first behind", () => {
    const before = after(
      loadedState(teamTrajectory()),
      { type: "toggle", key: "a0/thinking" },
      { type: "select", index: 4, isWished: false },
    );
    const other = longTrajectory(10);
    const state = reduce(before, {
      type: "loaded",
      selected: null,
      snapshot: { ...loadedState(other), trajectory: { ...other.trajectory, id: "t-2" }, reveal: null },
    });
    expect(state.open.size).toBe(0);
    expect(state.selected).toBeNull();
  });
});

describe("a score that arrives", () => {
  const made = teamTrajectory();
  test("as an override changes the mark, with or without the body", () => {
    const bare = after(loadedState(made), {
      type: "events",
      events: [scored("a2", 3, { kind: "override", source: "human" })],
    });
    expect(bare.marks[2]).toMatchObject({ coach: 9.25, override: 3 });
    const full = after(
      loadedState(made),
      { type: "bodies", items: made.views },
      { type: "events", events: [scored("a2", 3, { kind: "override", source: "human" })] },
    );
    expect(full.marks[2]).toMatchObject({ coach: 9.25, override: 3 });
    expect(full.bodies.get(2)?.scores).toHaveLength(2);
  });

  test("twice is kept once", () => {
    const event = scored("a2", 3, { kind: "override", source: "human" });
    const state = after(
      loadedState(made),
      { type: "bodies", items: made.views },
      { type: "events", events: [event, event] },
    );
    expect(state.bodies.get(2)?.scores).toHaveLength(2);
  });

  test("as an undo brings the coach's score back", () => {
    const override = made.views[1]?.scores[1]?.id ?? "";
    const state = after(
      loadedState(made),
      { type: "bodies", items: made.views },
      { type: "events", events: [scored("a1", null, { kind: "undo", source: "human", basedOn: override })] },
    );
    expect(state.marks[1]).toMatchObject({ coach: 4, override: null });
  });

  test("missing is no zero", () => {
    const state = after(
      loadedState(made),
      { type: "bodies", items: made.views },
      { type: "events", events: [scored("a4", null)] },
    );
    expect(state.marks[4]?.coach).toBeNull();
  });

  test("of another trajectory changes nothing", () => {
    const before = loadedState(made);
    expect(after(before, { type: "events", events: [scored("a2", 1, { trajectoryId: "t-9" })] })).toBe(before);
  });
});

describe("live actions", () => {
  const made = longTrajectory(12);
  const ten = { ...made, views: made.views.slice(0, 10) };
  const rest = made.views.slice(10).map(markOf);
  test("are counted until the person has seen the end", () => {
    const state = after(loadedState(ten), { type: "marks", marks: rest, isLive: true });
    expect(state.marks).toHaveLength(12);
    expect(state.unseen).toBe(2);
    expect(state.selected).toBeNull();
    expect(state.wish).toBeNull();
    expect(after(state, { type: "atEnd", isAtEnd: true }).unseen).toBe(0);
  });

  test("that were there before the page was are not new", () => {
    expect(after(loadedState(ten), { type: "marks", marks: rest, isLive: false }).unseen).toBe(0);
  });

  test("never leave a hole in the marks", () => {
    const state = after(loadedState(ten), { type: "marks", marks: rest.slice(1), isLive: true });
    expect(state.marks).toHaveLength(10);
  });
});

describe("the selection", () => {
  test.each([
    [-5, 0],
    [3, 3],
    [99, 5],
  ])("of %d is action %d", (wanted, index) => {
    expect(after(loadedState(teamTrajectory()), { type: "select", index: wanted, isWished: true }).selected).toBe(
      index,
    );
  });

  test("wishes the row into view anew each time", () => {
    const once = after(loadedState(teamTrajectory()), { type: "select", index: 2, isWished: true });
    const twice = after(once, { type: "select", index: 2, isWished: true });
    expect(twice.wish?.serial).toBe((once.wish?.serial ?? 0) + 1);
  });
});

describe("a draft", () => {
  test("forgets a consequence that belongs to another value", () => {
    const preview = { value: 8, before: -0.8, after: 0.4, batchSize: 64, message: "" };
    const state = after(
      loadedState(teamTrajectory()),
      { type: "draft", actionId: "a0", change: { value: 8 } },
      { type: "draft", actionId: "a0", change: { preview } },
    );
    expect(state.drafts.get("a0")?.preview).toEqual(preview);
    expect(after(state, { type: "draft", actionId: "a0", change: { value: 3 } }).drafts.get("a0")?.preview).toBeNull();
  });

  test("that is cancelled leaves the coach's score covered; one that is saved uncovers it", () => {
    const state = after(loadedState(teamTrajectory(), { blindFirst: true }), {
      type: "draft",
      actionId: "a0",
      change: { value: 8 },
    });
    const mark = state.marks[0];
    if (mark === undefined) throw new Error("no mark");
    expect(isCovered(state, mark)).toBe(true);
    expect(isCovered(after(state, { type: "draftEnded", actionId: "a0", isCommitted: false }), mark)).toBe(true);
    expect(isCovered(after(state, { type: "draftEnded", actionId: "a0", isCommitted: true }), mark)).toBe(false);
  });
});

test("bodies far from the view are let go, but never the selected one", () => {
  const made = longTrajectory(300);
  const state = after(
    loadedState(made),
    { type: "bodies", items: made.views },
    { type: "select", index: 7, isWished: false },
    { type: "evict", from: 100, to: 200 },
  );
  expect(state.bodies.size).toBe(102);
  expect(state.bodies.has(7)).toBe(true);
});

test("nothing is changed in place", () => {
  const made = teamTrajectory();
  const state = Object.freeze(after(loadedState(made), { type: "bodies", items: made.views }));
  Object.freeze(state.marks);
  expect(() =>
    after(state, { type: "events", events: [scored("a2", 3)] }, { type: "marks", marks: [], isLive: true }),
  ).not.toThrow();
});
