// Whatever a program starts ends with it.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startGroup } from "./processGroup.ts";

const isPosix = process.platform !== "win32";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilWritten(file: string): Promise<string> {
  for (;;) {
    const text = (() => {
      try {
        return readFileSync(file, "utf8").trim();
      } catch {
        return "";
      }
    })();
    if (text !== "") return text;
    await wait(10);
  }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "touchline-group-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test.runIf(isPosix).each([
  ["a child that ends when asked", "sleep 100 & echo $! > child; wait"],
  ["a child that ignores the request", "(trap '' TERM; sleep 100 & echo $! > child; wait; sleep 100) & wait"],
  ["a child whose parent has gone", "sleep 100 & echo $! > child"],
])("%s ends with its group", async (_name, script) => {
  const folder = temporaryFolder();
  const group = await startGroup({ command: "sh", args: ["-c", script], cwd: folder });
  const child = Number(await untilWritten(path.join(folder, "child")));
  await group.stop(300);
  expect([isAlive(group.pid), isAlive(child)]).toEqual([false, false]);
  await group.stop(300);
});

test("a program that is not there is an error at once", async () => {
  await expect(startGroup({ command: "no-such-program-here", args: [] })).rejects.toThrow("ENOENT");
});

test.runIf(isPosix)("what it prints is kept in its log, and its exit code is told", async () => {
  const logFile = path.join(temporaryFolder(), "log");
  const group = await startGroup({ command: "sh", args: ["-c", "echo out; echo err >&2; exit 3"], logFile });
  expect(await group.ended).toBe(3);
  await wait(50);
  expect(readFileSync(logFile, "utf8").split("\n").toSorted().join(" ").trim()).toBe("err out");
});
