// Tasks: drawn the same each time, split so that nothing is trained and evaluated on, and read with all good rows kept.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { Task } from "../../../src/protocol/model.ts";
import problems from "../../policy/problems.json" with { type: "json" };
import { checkAnswer } from "./checkAnswer.ts";
import { readAime, readGsm8k } from "./taskFile.ts";
import { openTaskSet, TaskError } from "./taskSet.ts";

const taskFolder = path.resolve(import.meta.dirname, "../../../../shared/data/tasks");
const readText = (file: string): string => readFileSync(file, "utf8");
const textOf = (text: string) => (): string => text;

describe("the built-in generator", () => {
  const training = openTaskSet("arithmetic", { seed: 1, heldOut: false });
  const heldOut = openTaskSet("arithmetic", { seed: 1, heldOut: true });
  const draw = (set: typeof training, count: number): Task[] =>
    Array.from({ length: count }, (_, index) => set.task(index));

  test("gives the same task for the same number and seed, and other ones for another seed", () => {
    expect(openTaskSet("arithmetic", { seed: 1, heldOut: false }).task(7)).toEqual(training.task(7));
    expect(openTaskSet("arithmetic", { seed: 2, heldOut: false }).task(7).problem).not.toBe(training.task(7).problem);
  });

  test("never holds out a problem that another seed trains on", () => {
    const trained = new Set(
      [1, 2, 3]
        .flatMap((seed) => draw(openTaskSet("arithmetic", { seed, heldOut: false }), 2000))
        .map((task) => task.problem),
    );
    expect(draw(heldOut, 2000).filter((task) => trained.has(task.problem))).toEqual([]);
  });

  test("draws every template about equally often, with answers in range that its expression has", () => {
    const tasks = draw(training, 3200);
    const counts = new Map<unknown, number>();
    for (const { meta, answer, problem } of tasks) {
      counts.set(meta.templateId, (counts.get(meta.templateId) ?? 0) + 1);
      expect(problem).not.toMatch(/[{}]/);
      expect(Number(answer)).toBeGreaterThanOrEqual(0);
      expect(Number(answer)).toBeLessThanOrEqual(problems.largest);
    }
    expect(counts.size).toBe(problems.templates.length);
    for (const count of counts.values()) expect(count).toBeGreaterThan(120);
    const known = tasks.find((task) => task.meta.templateId === "what-remains");
    const [, a, b, c] = /^(\d+) \* \((\d+) - (\d+)\)$/.exec(String(known?.meta.expression)) ?? [];
    expect(known?.answer).toBe(String(Number(a) * (Number(b) - Number(c))));
  });

  test("two people in one problem are never the same", () => {
    for (const { problem, meta } of draw(training, 1000)) {
      if (meta.templateId !== "two-people") continue;
      const [, first, second] = /^(\w+) has .*?\. (\w+) has/.exec(problem) ?? [];
      expect(first).toBeDefined();
      expect(first).not.toBe(second);
    }
  });
});

describe("a GSM8K file", () => {
  test("keeps its good rows and names the broken ones by line", () => {
    const lines = [
      '\uFEFF{"question": "One?", "answer": "so\\n#### 1,000"}',
      "",
      '{"question": "Two?", "answer": "no mark"}',
      "not json",
      '{"question": "", "answer": "#### 3"}',
      '{"question": "Four?", "answer": "#### 4", "id": 9}\r',
      '{"question": "Five?", "answer": "#### 5", "id": "9"}',
      '{"question": "Six?", "answ',
    ];
    const { rows, broken } = readGsm8k(lines.join("\n"));
    expect(rows.map(({ id, answer }) => [id, answer])).toEqual([
      ["line-1", "1,000"],
      ["9", "4"],
    ]);
    expect(broken.map(({ line }) => line)).toEqual([3, 4, 5, 7, 8]);
    expect(broken.map(({ message }) => message).join("|")).toMatch(/"####".*not JSON.*question.*id "9".*half-written/);
  });
});

describe("an AIME or AMC file", () => {
  test("keeps its good rows, floats as they are, and names the broken ones by line", () => {
    const text = `[
  {"prompt": "A { brace \\" and [", "answer": "070", "id": "1"},
  {"prompt": "B", "answer": 142.5},
  {"answer": "3"},
  {"prompt": "C", "answer": oops},
  {"prompt": "D", "answer": null, "id": 5, "year": 1999},
  {"prompt": "E", "answer": 1, "id": 5},
  {"prompt": "F", "ans`;
    const { rows, broken } = readAime(text);
    expect(rows.map(({ problem, answer }) => [problem, answer])).toEqual([
      ['A { brace " and [', "070"],
      ["B", "142.5"],
      ["D", null],
    ]);
    expect(rows[2]?.meta).toEqual({ line: 6, year: 1999 });
    expect(broken.map(({ line }) => line)).toEqual([4, 5, 7, 8]);
  });

  test.each([
    ["", 1],
    ["{}", 2],
    ['"text"', 1],
    ["[]", 0],
  ])("%s has no rows", (text, count) => {
    const { rows, broken } = readAime(text);
    expect(rows).toEqual([]);
    expect(broken).toHaveLength(count);
  });
});

describe("a task set is refused", () => {
  test.each([
    ["of an unknown kind", "sudoku:x", textOf(""), "There is no task set"],
    ["without a file", "gsm8k:", textOf(""), "There is no task set"],
    [
      "with nothing readable",
      "gsm8k:x.jsonl",
      textOf("broken"),
      "no readable task among 1 rows. The first broken row is line 1: the last line",
    ],
    ["that inherits its name", "toString:x", textOf(""), "There is no task set"],
  ])("%s", (_name, name, read, message) => {
    expect(() => openTaskSet(name, { seed: 1, heldOut: false, readText: read })).toThrow(TaskError);
    expect(() => openTaskSet(name, { seed: 1, heldOut: false, readText: read })).toThrow(message);
  });

  test("when no files may be read, or the file is not there", () => {
    expect(() => openTaskSet("gsm8k:x", { seed: 1, heldOut: false })).toThrow("cannot be read here");
    expect(() => openTaskSet("gsm8k:/nowhere/x", { seed: 1, heldOut: false, readText })).toThrow("Check the path");
  });
});

describe.skipIf(!existsSync(taskFolder))("real task files (skipped without ../shared/data)", () => {
  test.each([
    ["gsm8k", "gsm8k/test.jsonl", 1319],
    ["aime", "multiagent-coaching-bench/AIME_1983_2024.json", 933],
    ["aime", "multiagent-coaching-bench/aime_2025.json", 30],
    ["aime", "multiagent-coaching-bench/aime_eval_32.json", 32],
    ["aime", "multiagent-coaching-bench/amc.json", 117],
    ["aime", "multiagent-coaching-bench/amc_32.json", 32],
    ["aime", "multiagent-coaching-bench/amc_eval_32.json", 32],
  ])("%s %s: all rows, each with an answer that is its own", (kind, file, count) => {
    const name = `${kind}:${path.join(taskFolder, file)}`;
    const sets = [false, true].map((heldOut) => openTaskSet(name, { seed: 3, heldOut, readText }));
    const tasks = sets.flatMap((set) => Array.from({ length: set.size ?? 0 }, (_, index) => set.task(index)));
    expect(sets.flatMap((set) => set.broken)).toEqual([]);
    expect(new Set(tasks.map((task) => task.id)).size).toBe(count);
    for (const task of tasks)
      expect([task.id, checkAnswer(task, `so \\boxed{${task.answer}}`).reward]).toEqual([task.id, 1]);
  });
});

describe("the task's own reward", () => {
  const task: Task = { id: "t", setName: "s", problem: "", answer: "142.0", meta: {} };
  test.each([
    ["\\boxed{142}", "142", 1],
    ["\\boxed{142} no: \\boxed{141}", "141", 0],
    ["142", null, 0],
    ["#### 142", null, 0],
    ["\\boxed{142", null, 0],
    ["", null, 0],
  ])("of %s", (text, answer, reward) => {
    expect(checkAnswer(task, text)).toEqual({ answer, reward });
  });

  test("is not known where there is no ground truth", () => {
    expect(checkAnswer({ ...task, answer: null }, "\\boxed{1}")).toEqual({ answer: "1", reward: null });
  });
});
