// The loader of bodies: asks for what is in view first, never twice, and never too much at once.
import { describe, expect, test } from "vitest";
import type { ActionView } from "../../src/protocol/bridge.ts";
import { longTrajectory } from "../harness/teamData.ts";
import { Bodies } from "./bodies.ts";

function fakeSource(count: number, pageEnd = 200) {
  const { views } = longTrajectory(count);
  const known = new Map<number, ActionView>();
  const asked: [number, number][] = [];
  const evicted: [number, number][] = [];
  const waiting: (() => void)[] = [];
  let failures = 0;
  const bodies = new Bodies({
    count: () => count,
    has: (index) => known.has(index),
    size: () => known.size,
    ask(fromIndex, limit) {
      asked.push([fromIndex, limit]);
      return new Promise((resolve) =>
        waiting.push(() => resolve(views.slice(fromIndex, fromIndex + Math.min(limit, pageEnd)))),
      );
    },
    arrived: (items) => items.forEach((item) => known.set(item.action.index, item)),
    evict: (from, to) => evicted.push([from, to]),
    failed: () => failures++,
  });
  const answerAll = async () => {
    for (let round = 0; round < 50 && waiting.length > 0; round++) {
      for (const answer of waiting.splice(0)) answer();
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  return { bodies, known, asked, evicted, answerAll, failures: () => failures };
}

describe("bodies", () => {
  test("in view and a little further are loaded, each asked for once", async () => {
    const source = fakeSource(1000);
    source.bodies.want(500, 505);
    source.bodies.want(500, 505);
    await source.answerAll();
    for (let index = 488; index <= 517; index++) expect(source.known.has(index)).toBe(true);
    const all = source.asked.flatMap(([from, limit]) => Array.from({ length: limit }, (_, place) => from + place));
    expect(new Set(all).size).toBe(all.length);
    expect(source.asked[0]?.[0]).toBe(500);
  });

  test("never more than two requests are under way", () => {
    const source = fakeSource(1000);
    for (let from = 0; from < 900; from += 60) source.bodies.want(from, from + 5);
    expect(source.asked.length).toBeLessThanOrEqual(2);
  });

  test("a page that ends early is gone on with", async () => {
    const source = fakeSource(100, 4);
    source.bodies.want(0, 20);
    await source.answerAll();
    for (let index = 0; index <= 20; index++) expect(source.known.has(index)).toBe(true);
  });

  test("answers for a trajectory that is no longer shown are dropped", async () => {
    const source = fakeSource(100);
    source.bodies.want(0, 5);
    source.bodies.restart();
    await source.answerAll();
    expect(source.known.size).toBe(0);
  });

  test("far ones are let go once there are many", async () => {
    const source = fakeSource(5000);
    for (let from = 0; from < 600; from += 30) {
      source.bodies.want(from, from + 5);
      await source.answerAll();
    }
    expect(source.evicted.at(-1)?.[0]).toBeGreaterThan(300);
  });
});
