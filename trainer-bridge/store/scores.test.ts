// Overrides: appended with who and when, refused when another record came first, taken back one by one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Score } from "../../src/protocol/model.ts";
import { fakeAction, fakeRun, fakeScore, fakeTrajectory } from "./fakeRecords.ts";
import { openStore, type Store } from "./store.ts";

let dir: string;
let store: Store;
const now = () => new Date("2026-02-01T12:00:00.000Z");
const action = fakeAction("a", "t", 0);

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "scores-"));
  store = openStore(dir, { now });
  store.createRun(fakeRun());
  store.addTrajectory(fakeTrajectory("t"));
  store.addAction(action, null, [fakeScore("coach", action, 4)]);
});

afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true });
});

const asked = (requestId: string, value: number, basedOn: string | null) => ({
  requestId,
  actionId: "a",
  value,
  rationale: "The box is empty.",
  author: "Ada",
  basedOn,
  tags: ["format"],
});

test("an override keeps the person, the reason, the time and what it replaced", () => {
  const score = store.setOverride(asked("r1", 0, "coach"));
  expect(score).toMatchObject({
    id: "r1",
    kind: "override",
    source: "human",
    value: 0,
    author: "Ada",
    basedOn: "coach",
    at: now().toISOString(),
  });
  expect(store.scores("a").map(({ id }) => id)).toEqual(["coach", "r1"]);
  expect(store.scores("a").map((record) => Score.parse(record))).toEqual(store.scores("a"));
  expect(store.scoresOfTrajectory("t")).toEqual(new Map([["a", store.scores("a")]]));
});

describe("an override is a conflict", () => {
  test.each([
    ["on nothing while the coach's score counts", null, "coach"],
    ["on a record that is not there", "elsewhere", "coach"],
  ])("%s", (_name, basedOn, current) => {
    const seq = store.lastSeq();
    expect(() => store.setOverride(asked("r", 1, basedOn))).toThrow(
      expect.objectContaining({ code: "conflict", current: expect.objectContaining({ id: current }) }),
    );
    expect(store.lastSeq()).toBe(seq);
    expect(store.scores("a")).toHaveLength(1);
  });

  test("when another person came first, and both values are told", () => {
    store.setOverride(asked("hers", 9, "coach"));
    expect(() => store.setOverride({ ...asked("his", 1, "coach"), author: "Bob" })).toThrow(
      expect.objectContaining({
        code: "conflict",
        current: expect.objectContaining({ id: "hers", value: 9, author: "Ada" }),
      }),
    );
  });

  test("when a hindsight score arrived meanwhile", () => {
    store.addScore(fakeScore("hindsight", action, 6, { phase: "hindsight" }));
    expect(() => store.setOverride(asked("r", 1, "coach"))).toThrow(
      expect.objectContaining({ current: expect.objectContaining({ id: "hindsight" }) }),
    );
    expect(store.setOverride(asked("r", 1, "hindsight")).value).toBe(1);
  });
});

test("a retry with the same request id changes nothing and gives the same record", () => {
  const score = store.setOverride(asked("r1", 7, "coach"));
  store.setOverride(asked("r2", 8, "r1"));
  const seq = store.lastSeq();
  expect(store.setOverride(asked("r1", 7, "coach"))).toEqual(score);
  expect(store.lastSeq()).toBe(seq);
  expect(() => store.setOverride(asked("r1", 2, "r2"))).toThrow(
    expect.objectContaining({ code: "conflict", current: expect.objectContaining({ id: "r2" }) }),
  );
  expect(() => store.setOverride(asked("coach", 4, "r2"))).toThrow(expect.objectContaining({ code: "conflict" }));
});

test("undo goes back override by override to the coach's score, and can be overridden again", () => {
  store.setOverride(asked("r1", 7, "coach"));
  store.setOverride(asked("r2", 9, "r1"));
  const undo = (requestId: string, basedOn: string) =>
    store.undoOverride({ requestId, actionId: "a", author: "Ada", basedOn });
  expect(() => undo("early", "r1")).toThrow(
    expect.objectContaining({ code: "conflict", current: expect.objectContaining({ id: "r2" }) }),
  );
  expect(undo("u2", "r2")).toMatchObject({
    score: { kind: "undo", value: null, basedOn: "r2" },
    effective: { id: "r1", value: 7 },
  });
  expect(undo("u2", "r2")).toMatchObject({ score: { id: "u2" }, effective: { id: "r1" } });
  expect(undo("u1", "r1").effective).toMatchObject({ id: "coach", value: 4 });
  expect(() => undo("u0", "coach")).toThrow(expect.objectContaining({ code: "conflict" }));
  expect(store.setOverride(asked("r3", 3, "coach")).value).toBe(3);
  expect(store.scores("a").map(({ id }) => id)).toEqual(["coach", "r1", "r2", "u2", "u1", "r3"]);
});

test.each([
  ["before now", "2026-01-31T08:00:00.000Z", "2026-01-31T08:00:00.000Z"],
  ["in another zone", "2026-01-31T08:00:00.000+02:00", "2026-01-31T06:00:00.000Z"],
  ["in the future", "2027-01-01T00:00:00.000Z", now().toISOString()],
  ["unreadable", "yesterday", now().toISOString()],
])("a decision made %s is kept with an honest time", (_name, decidedAt, at) => {
  expect(store.setOverride({ ...asked("r", 1, "coach"), decidedAt }).at).toBe(at);
});

test.each([
  ["UPDATE score SET body = '{}'", "never changed"],
  ["DELETE FROM score", "never removed"],
  ["UPDATE actionBody SET body = '{}'", "never changed"],
  ["DELETE FROM actionBody", "never removed"],
  ["UPDATE event SET data = '{}'", "never changed"],
  ["DELETE FROM event", "only below the floor"],
  ["UPDATE actionTokens SET temperature = 0", "never changed"],
])("the file itself refuses %s", (sql, message) => {
  store.addAction(fakeAction("b", "t", 1), {
    actionId: "b",
    promptTokenIds: [],
    tokenIds: [],
    logprobs: [],
    temperature: 1,
  });
  store.addScore(fakeScore("more", action, 1));
  store.announceEngine("ready", "");
  store.close();
  const file = new DatabaseSync(path.join(dir, "touchline.sqlite"));
  file.exec("INSERT INTO meta (key, value) VALUES ('firstSeq', '1') ON CONFLICT DO NOTHING");
  expect(() => file.exec(sql)).toThrow(message);
  file.close();
  store = openStore(dir);
});
