// The plan of a batch: the same ids, tasks and seeds every time it is asked for.
import { describe, expect, test } from "vitest";
import { IterationConfig, type Task } from "../../src/protocol/model.ts";
import { batchPlan, evaluationPlan, shuffled, type TaskSource, taskIndex } from "./batchPlan.ts";

const tasks: TaskSource = {
  size: null,
  task: (index): Task => ({ id: `task-${index}`, setName: "fake", problem: `${index}`, answer: null, meta: {} }),
};
const config = IterationConfig.parse({ taskCount: 3, samplesPerTask: 2, evaluationTaskCount: 4, seed: 7 });

describe("the plan of a batch", () => {
  test("is the same every time, so that a resume repeats it exactly", () => {
    const iteration = { id: "run-i2", index: 2, config };
    expect(batchPlan(iteration, 3, tasks)).toEqual(batchPlan(iteration, 3, tasks));
  });

  test("takes each task samplesPerTask times, with a seed of its own for each", () => {
    const plan = batchPlan({ id: "run-i2", index: 2, config }, 3, tasks);
    expect(plan.map((row) => row.task.id)).toEqual(["task-3", "task-3", "task-4", "task-4", "task-5", "task-5"]);
    expect(new Set(plan.map((row) => row.seed)).size).toBe(6);
    expect(new Set(plan.map((row) => row.trajectoryId)).size).toBe(6);
  });

  test("gives another iteration other seeds", () => {
    const one = batchPlan({ id: "run-i1", index: 1, config }, 0, tasks).map((row) => row.seed);
    const two = batchPlan({ id: "run-i2", index: 2, config }, 0, tasks).map((row) => row.seed);
    expect(one).not.toEqual(two);
  });

  test("gives another run with the same seed the same seeds", () => {
    const one = batchPlan({ id: "run-i2", index: 2, config }, 0, tasks).map((row) => row.seed);
    const two = batchPlan({ id: "other-i2", index: 2, config }, 0, tasks).map((row) => row.seed);
    expect(one).toEqual(two);
  });

  test("evaluates the same held-out tasks with the same seeds after every iteration", () => {
    const one = evaluationPlan({ id: "run-i1", index: 1, config }, "before", tasks);
    const two = evaluationPlan({ id: "run-i2", index: 2, config }, "after", tasks);
    expect(one.map(({ task, seed }) => [task.id, seed])).toEqual(two.map(({ task, seed }) => [task.id, seed]));
    expect(one[0]?.trajectoryId).not.toBe(two[0]?.trajectoryId);
  });
});

describe("a finite task set", () => {
  test("is gone through whole in each pass, in another order each time", () => {
    const pass = (n: number) => Array.from({ length: 20 }, (_, i) => taskIndex(20 * n + i, 20, 1));
    const whole = Array.from({ length: 20 }, (_, i) => i);
    expect([...pass(0)].sort((a, b) => a - b)).toEqual(whole);
    expect([...pass(1)].sort((a, b) => a - b)).toEqual(whole);
    expect(pass(0)).not.toEqual(pass(1));
  });

  test("that is empty is refused", () => {
    expect(() => taskIndex(0, 0, 1)).toThrow("The task set is empty.");
  });
});

test("shuffled keeps every item, and puts each one first about as often as the others", () => {
  const items = [0, 1, 2, 3];
  const first = [0, 0, 0, 0];
  for (let seed = 0; seed < 4000; seed++) {
    const order = shuffled(items, seed);
    expect([...order].sort()).toEqual(items);
    const head = order[0] ?? 0;
    first[head] = (first[head] ?? 0) + 1;
  }
  for (const count of first) expect(count).toBeGreaterThan(850);
});
