// What the table of the bridge wire promises beyond its types.
import { expect, test } from "vitest";
import { bridgeContract, IterationChanges } from "./bridge.ts";
import { IterationConfig } from "./model.ts";

test("constants that a client leaves out stay out, so that the bridge's own count", () => {
  expect(
    bridgeContract.requests["iteration/start"].params.parse({ runId: "r", config: { learningRate: 1e-3 } }),
  ).toEqual({
    runId: "r",
    config: { learningRate: 1e-3 },
    repeat: 0,
  });
});

test("every constant of an iteration can be changed, within its bounds", () => {
  expect(Object.keys(IterationChanges.shape)).toEqual(Object.keys(IterationConfig.shape));
  expect(IterationChanges.safeParse({ taskCount: 0 }).success).toBe(false);
  expect(IterationChanges.safeParse({ review: "some" }).success).toBe(false);
});
