// Search finds words, phrases and prefixes, and takes nothing a person types for query syntax.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fakeAction, fakeRun, fakeToolCall, fakeTrajectory } from "./fakeRecords.ts";
import { openStore, type Store } from "./store.ts";

let dir: string;
let store: Store;
const first = { cursor: null, limit: 10 };

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), "search-"));
  store = openStore(dir);
  store.createRun(fakeRun());
  store.createRun(fakeRun("run-2"));
  store.addTrajectory(fakeTrajectory("t"));
  store.addTrajectory(fakeTrajectory("t2", { runId: "run-2" }));
  const add = (id: string, index: number, text: string, more = {}) =>
    store.addAction(fakeAction(id, "t", index, { text, toolCalls: [], ...more }), null);
  add("apples", 0, "Twelve APPLES and a half.");
  add("pears", 1, "Twelve pears, naïve café, NEAR a half.");
  add("code", 2, "Running it.", {
    toolCalls: [{ ...fakeToolCall("c", "printed_value 42"), input: "x = quotient(84, 2)" }],
    thinking: "Ponder.",
  });
  add("star", 3, "SELECT * FROM action; DROP TABLE action; -- body:place");
  store.addAction(
    fakeAction("other", "t2", 0, { runId: "run-2", text: "Twelve apples elsewhere.", toolCalls: [] }),
    null,
  );
});

afterAll(() => {
  store.close();
  rmSync(dir, { recursive: true });
});

const found = (query: string, runId?: string) =>
  store.search(query, { runId }, first).items.map(({ actionId }) => actionId);

describe("finds", () => {
  test.each([
    ["a word in any case", "twelve", ["other", "pears", "apples"]],
    ["all words", "half twelve", ["pears", "apples"]],
    ["a phrase", '"a half"', ["pears", "apples"]],
    ["a phrase only in its order", '"half a"', []],
    ["a prefix", "app*", ["other", "apples"]],
    ["no part of a word without a star", "app", []],
    ["words without their accents", "naive cafe", ["pears"]],
    ["words with other accents", "càfé", ["pears"]],
    ["code", "quotient", ["code"]],
    ["output", "42", ["code"]],
    ["thinking", "ponder", ["code"]],
    ["parts of a name", "printed_value", ["code"]],
    ["a phrase that was not closed", '"twelve pears', ["pears"]],
  ])("%s", (_name, query, ids) => {
    expect(found(query)).toEqual(ids);
  });

  test("only what is in the run asked for", () => {
    expect(found("twelve", "run-2")).toEqual(["other"]);
    expect(found("run1")).toEqual([]);
  });
});

describe("takes for words, not for syntax", () => {
  test.each([
    ["an operator", "apples OR pears", []],
    ["a negation", "twelve NOT apples", []],
    ["a distance", "NEAR(twelve apples)", []],
    ["an operator that is written there", "pears NEAR half", ["pears"]],
    ["a column", "place:run1", []],
    ["a column that is written there", "body:place", ["star"]],
    ["a start mark", "^twelve", ["other", "pears", "apples"]],
    ["brackets", "((twelve", ["other", "pears", "apples"]],
    ["a quote within", 'tw"el"ve', []],
    ["an end of SQL", "'; DROP TABLE action; --", ["star"]],
    ["a plus", "twelve + pears", ["pears"]],
    ["a minus", "-twelve", ["other", "pears", "apples"]],
    ["NUL", "twelve\0pears", ["pears"]],
    ["a lone star", "*", []],
    ["stars", '** "*" ***', []],
    ["signs alone", "&& || ?!", []],
    ["blanks", "   ", []],
    ["a lone surrogate", "\ud800", []],
    ["a very long query", "twelve ".repeat(70), ["other", "pears", "apples"]],
  ])("%s", (_name, query, ids) => {
    expect(found(query)).toEqual(ids);
  });
});

describe("a snippet", () => {
  test.each([
    ["pears", "pears", "Twelve pears, naïve café"],
    ["cafe", "pears", "naïve café"],
    ["quot*", "code", "quotient(84, 2) printed_value 42"],
  ])("for %s shows the place", (query, id, part) => {
    expect(store.search(query, {}, first).items.find(({ actionId }) => actionId === id)?.snippet).toContain(part);
  });

  test("of a long text is short and begins near the place", () => {
    store.addAction(
      fakeAction("long", "t", 4, { text: `${"filler ".repeat(5000)} needle ${"filler ".repeat(5000)}`, toolCalls: [] }),
      null,
    );
    const [item] = store.search("needle", {}, first).items;
    expect(item?.snippet).toMatch(/^….*needle.*…$/);
    expect(item?.snippet.length).toBeLessThan(250);
  });
});

test("pages go on by key", () => {
  const one = store.search("twelve", {}, { cursor: null, limit: 2 });
  const two = store.search("twelve", {}, { cursor: one.next, limit: 2 });
  expect([one, two].map(({ items }) => items.map(({ actionId }) => actionId))).toEqual([
    ["other", "pears"],
    ["apples"],
  ]);
  expect(two.next).toBeNull();
  expect(() => store.search("twelve", {}, { cursor: "x'; --", limit: 2 })).toThrow("first page");
});
