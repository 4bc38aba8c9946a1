// A page is told at most ten times a second, however much happens.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { gatherPushes } from "./pushes.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("500 items a second are at most eleven pushes, in order and complete", () => {
  const pushed: number[][] = [];
  const pushes = gatherPushes<number>((items) => void pushed.push(items), vi.fn());
  for (let item = 0; item < 500; item += 1) {
    pushes.add([item]);
    vi.advanceTimersByTime(2);
  }
  vi.advanceTimersByTime(100);
  expect(pushed.length).toBeLessThanOrEqual(11);
  expect(pushed.flat()).toEqual(Array.from({ length: 500 }, (_, index) => index));
});

test("the first item does not wait", () => {
  const push = vi.fn();
  gatherPushes(push, vi.fn()).add(["a"]);
  vi.advanceTimersByTime(0);
  expect(push).toHaveBeenCalledWith(["a"]);
});

test("more than it may hold asks for a snapshot in place of the items", () => {
  const push = vi.fn();
  const overflow = vi.fn();
  const pushes = gatherPushes<number>(push, overflow, 100, 3);
  pushes.add([1, 2]);
  pushes.add([3, 4]);
  pushes.add([5]);
  vi.advanceTimersByTime(0);
  expect(overflow).toHaveBeenCalledOnce();
  expect(push).not.toHaveBeenCalled();
  vi.advanceTimersByTime(100);
  pushes.add([6]);
  vi.advanceTimersByTime(0);
  expect(push).toHaveBeenCalledWith([6]);
});

test("nothing is pushed after its end", () => {
  const push = vi.fn();
  const pushes = gatherPushes(push, vi.fn());
  pushes.add(["a"]);
  pushes.dispose();
  vi.advanceTimersByTime(1000);
  expect(push).not.toHaveBeenCalled();
});
