// Two set-ups never run at once, and a dead one blocks nobody.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { acquireLock } from "./lock.mjs";

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "touchline-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("the second waits until the first gives the lock back", async () => {
  const folder = temporaryFolder();
  const said: string[] = [];
  const order: string[] = [];
  const release = await acquireLock(folder, (text: string) => said.push(text));
  const second = acquireLock(folder, (text: string) => said.push(text)).then((releaseSecond) => {
    order.push("second");
    releaseSecond();
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  order.push("first gives back");
  release();
  await second;
  expect(order).toEqual(["first gives back", "second"]);
  expect(said).toEqual([expect.stringContaining(`process ${process.pid}`)]);
  expect(existsSync(path.join(folder, "setup.lock"))).toBe(false);
});

test.each([
  ["a process that is gone", "4194304999"],
  ["nothing that is a process", "not a number"],
])("a lock of %s is taken over", async (_name, content) => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "setup.lock"), content);
  const release = await acquireLock(folder, () => {});
  release();
});
