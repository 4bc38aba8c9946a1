// Sandboxes of a dead bridge are ended, those of a living one are not.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { endOrphans, hostName } from "./orphans.ts";

test.skipIf(process.platform !== "linux")("only the sandbox of a bridge that is no more is ended", async () => {
  const fakeSandbox = (bridgePid: number) =>
    spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)", "--", "--hostname", hostName(bridgePid)]);
  const orphan = fakeSandbox(2 ** 22 + 1);
  const living = fakeSandbox(process.pid);
  const ended = once(orphan, "exit");
  await sleep(100);
  expect(endOrphans()).toBe(1);
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(living.exitCode ?? living.signalCode).toBeNull();
  living.kill("SIGKILL");
  await once(living, "exit");
});
