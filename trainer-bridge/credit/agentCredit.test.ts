// Credit against vectors that vectors.py computes on its own, and the properties that no vector shows.
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { agentCredit, type CreditSample, meanAdvantage, stepAdvantages } from "./agentCredit.ts";

interface Vector {
  name: string;
  samples: CreditSample[];
  klCoefficient: number;
  stdFloor: number;
  expected: {
    advantages: number[][];
    stepAdvantages: number[][];
    meanReturn: number | null;
    stdReturn: number | null;
    kl: number | null;
    tokenCount: number;
    trainedCount: number;
    isSkipped: boolean;
  };
}

const vectors: Vector[] = JSON.parse(readFileSync(path.join(import.meta.dirname, "vectors.json"), "utf8"));

function expectClose(actual: number | null, expected: number | null): void {
  if (expected === null || actual === null) expect(actual).toBe(expected);
  else expect(Math.abs(actual - expected)).toBeLessThan(1e-12 * Math.max(1, Math.abs(expected)) + 1e-13);
}

function expectAllClose(actual: readonly number[], expected: readonly number[] | undefined): void {
  expect(actual).toHaveLength(expected?.length ?? -1);
  for (const [t, value] of actual.entries()) expectClose(value, expected?.[t] ?? null);
}

describe("credit agrees with vectors computed by torch", () => {
  for (const vector of vectors) {
    test(vector.name, () => {
      const credit = agentCredit(vector.samples, vector);
      for (const [i, sample] of credit.samples.entries()) {
        expectAllClose(sample.advantages, vector.expected.advantages[i]);
      }
      for (const [i, row] of stepAdvantages(credit.samples).entries()) {
        expectAllClose(row, vector.expected.stepAdvantages[i]);
      }
      expectClose(credit.stats.meanReturn, vector.expected.meanReturn);
      expectClose(credit.stats.stdReturn, vector.expected.stdReturn);
      expectClose(credit.stats.kl, vector.expected.kl);
      expect(credit.stats.tokenCount).toBe(vector.expected.tokenCount);
      expect(credit.stats.trainedCount).toBe(vector.expected.trainedCount);
      expect(credit.stats.skipped !== null).toBe(vector.expected.isSkipped);
    });
  }
});

const constants = { klCoefficient: 0.01, stdFloor: 0.05 };

function sample(actionId: string, reward: number | null, length: number, isTruncated = false): CreditSample {
  const logpOld = Array.from({ length }, (_, t) => -0.1 * (t + 1));
  return { actionId, reward, logpOld, logpRef: logpOld.map((logp) => logp - 0.05), isTruncated };
}

describe("an agent's batch", () => {
  test("advantages do not change when the batch is permuted", () => {
    const batch = [sample("a", 0.1, 3), sample("b", 0.9, 7), sample("c", null, 2), sample("d", 0.4, 5)];
    const straight = new Map(agentCredit(batch, constants).samples.map((row) => [row.actionId, row.advantages]));
    for (const row of agentCredit([...batch].reverse(), constants).samples) {
      expectAllClose(row.advantages, straight.get(row.actionId));
    }
  });

  test("a masked action changes no other action's advantage, whatever its reward and length", () => {
    const batch = [sample("a", 0.1, 3), sample("b", 0.9, 7)];
    const alone = agentCredit(batch, constants).samples.map((row) => row.advantages);
    const beside = agentCredit([...batch, sample("c", 1, 50, true), sample("d", null, 9)], constants).samples;
    expect(beside.slice(0, 2).map((row) => row.advantages)).toEqual(alone);
    expect(beside.map((row) => row.masked)).toEqual([null, null, "truncated", "unscored"]);
  });

  test("an override moves its own advantage up and the others' down", () => {
    const before = agentCredit([sample("a", 0.2, 4), sample("b", 0.6, 4), sample("c", 0.7, 4)], constants).samples;
    const after = agentCredit([sample("a", 1, 4), sample("b", 0.6, 4), sample("c", 0.7, 4)], constants).samples;
    const mean = (rows: typeof before, i: number) => meanAdvantage(rows[i] ?? expect.fail());
    expect(mean(after, 0)).toBeGreaterThan(mean(before, 0));
    expect(mean(after, 1)).toBeLessThan(mean(before, 1));
    expect(mean(after, 2)).toBeLessThan(mean(before, 2));
  });

  test("a skipped agent says why", () => {
    const skipped = agentCredit([sample("a", null, 3), sample("b", 1, 3, true)], constants).stats.skipped;
    expect(skipped).toBe("None of its 2 actions can be trained on: 1 truncated, 1 without a score.");
  });

  test("log-probs of different lengths are refused by name", () => {
    const broken = { ...sample("a", 1, 3), logpRef: [0] };
    expect(() => agentCredit([broken], constants)).toThrow("Action a has log-probs of different lengths (3 and 1).");
  });

  test("the division by N counts unmasked tokens only", () => {
    const credit = agentCredit([sample("a", 0.1, 3), sample("b", 0.9, 5), sample("c", null, 100)], constants);
    const [a] = stepAdvantages(credit.samples);
    expect((a?.[0] ?? 0) * 8).toBeCloseTo(credit.samples[0]?.advantages[0] ?? Number.NaN, 12);
  });
});
