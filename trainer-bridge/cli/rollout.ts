// touchline rollout: rolls out tasks without training, with progress; Ctrl+C keeps what is finished.
import type { Run } from "../../src/protocol/model.ts";
import { withBridge } from "./bridge.ts";
import type { BridgeClient } from "./bridgeClient.ts";
import { onInterruption } from "./progress.ts";
import type { Report } from "./report.ts";
import type { RoomSettings } from "./rooms.ts";
import { type CommandOf, wholeNumber } from "./usage.ts";

/** Rolls out; the exit code. */
export async function rollout(
  { values }: CommandOf<"rollout">,
  settings: RoomSettings,
  report: Report,
): Promise<number> {
  const options = {
    taskCount: wholeNumber("tasks", values.tasks, 1, 10_000),
    samplesPerTask: wholeNumber("samples", values.samples, 1, 64),
    concurrency: wholeNumber("concurrency", values.concurrency, 1, 256),
    coach: !values["no-coach"],
  };
  const interruption = onInterruption(report.step);
  try {
    return await withBridge(settings, async (client) => {
      const run = await chosenRun(client, values);
      const result = await client.request(
        "rollout/start",
        { runId: run.id, ...options },
        {
          cancellation: interruption.token,
          onProgress: ({ done, total, message }) => report.step(`${done}/${total} ${message}`),
        },
      );
      report.result(
        `${result.completed} completed, ${result.failed} failed, ${result.cancelled} cancelled in run ${run.name} (${run.id}).`,
        { runId: run.id, ...result },
      );
      return interruption.isAsked ? 130 : 0;
    });
  } finally {
    interruption.dispose();
  }
}

/** The run named by --run, else the newest training run, else a new one. */
export async function chosenRun(
  client: BridgeClient,
  values: { run?: string | undefined; workflow: string; "task-set": string; seed: string },
): Promise<Run> {
  if (values.run !== undefined) return client.request("run/get", { runId: values.run });
  for (let cursor: string | null = null; ; ) {
    const page: { items: Run[]; next: string | null } = await client.request("run/list", { cursor });
    const found = page.items.find((run) => run.kind === "training");
    if (found !== undefined) return found;
    cursor = page.next;
    if (cursor === null) break;
  }
  const seed = wholeNumber("seed", values.seed, 0, 2 ** 31 - 1);
  const { workflow, "task-set": taskSet } = values;
  return client.request("run/create", { name: `${workflow} on ${taskSet}`, workflow, taskSet, seed });
}
