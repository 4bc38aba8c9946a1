// Many jobs, few at once.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { runAll } from "./runAll.ts";

const never = new AbortController().signal;

test("at most so many run at once, each once, and results stand in order", async () => {
  let running = 0;
  let most = 0;
  const results = await runAll([5, 1, 4, 2, 3], 2, never, async (job) => {
    most = Math.max(most, ++running);
    await sleep(job);
    running--;
    return job * 10;
  });
  expect(results).toEqual([50, 10, 40, 20, 30]);
  expect(most).toBe(2);
});

test("after the signal no new job is started", async () => {
  const cancel = new AbortController();
  const started: number[] = [];
  const results = await runAll([1, 2, 3], 1, cancel.signal, async (job) => {
    started.push(job);
    if (job === 2) cancel.abort();
    return job;
  });
  expect(started).toEqual([1, 2]);
  expect(results).toEqual([1, 2, undefined]);
});

test("a bug stops new jobs and is thrown after those in flight have ended", async () => {
  const ended: number[] = [];
  const running = runAll([1, 2, 3, 4], 2, never, async (job) => {
    if (job === 1) throw new TypeError("bug");
    await sleep(5);
    ended.push(job);
  });
  await expect(running).rejects.toThrow(TypeError);
  expect(ended).toEqual([2]);
});

test("no jobs, no results", async () => {
  expect(await runAll([], 4, never, async () => 1)).toEqual([]);
});
