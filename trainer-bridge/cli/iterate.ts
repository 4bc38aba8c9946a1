// touchline iterate: runs finetuning iterations and tells each state as it comes; Ctrl+C cancels the one under way.
import { type Iteration, IterationConfig } from "../../src/protocol/model.ts";
import { describe } from "../../src/protocol/rpc.ts";
import { withBridge } from "./bridge.ts";
import type { BridgeClient } from "./bridgeClient.ts";
import { onInterruption } from "./progress.ts";
import { percent, type Report } from "./report.ts";
import { chosenRun } from "./rollout.ts";
import type { RoomSettings } from "./rooms.ts";
import { type CommandOf, UsageError, wholeNumber } from "./usage.ts";

/** Runs `--count` iterations; the exit code. */
export async function iterate(
  { values }: CommandOf<"iterate">,
  settings: RoomSettings,
  report: Report,
): Promise<number> {
  const count = wholeNumber("count", values.count, 1, 1_001);
  const config = constantsOf(values.set ?? []);
  const interruption = onInterruption(report.step);
  try {
    return await withBridge({ ...settings, isResuming: true }, async (client) => {
      const run = await chosenRun(client, values);
      let current: string | null = null;
      interruption.onAsked(() => {
        if (current === null) return;
        client
          .request("iteration/cancel", { iterationId: current })
          .catch((error: unknown) => report.step(String(error)));
      });
      const following = followIterations(client, run.id, count, (iteration) => {
        current = iteration.id;
        report.step(stateLine(iteration));
        if (iteration.state === "done") report.result(doneLine(iteration), iteration);
      });
      await client.request("event/subscribe", { afterSeq: client.welcome.lastSeq });
      current = await startOrResume(client, run.id, config, count);
      const last = await following;
      if (last.state === "failed")
        report.result(`Iteration ${last.index} failed: ${last.message ?? "no reason was given"}`, last);
      if (last.state === "cancelled") report.result(`Iteration ${last.index} was cancelled.`, last);
      if (interruption.isAsked) return 130;
      return last.state === "done" ? 0 : 1;
    });
  } finally {
    interruption.dispose();
  }
}

/** Goes on with the run's unfinished iteration where there is one, else starts the next; its id. */
async function startOrResume(
  client: BridgeClient,
  runId: string,
  config: Partial<IterationConfig>,
  count: number,
): Promise<string> {
  const { activeIteration: active } = await client.request("status/get", {});
  if (active === null || active.runId !== runId) {
    return (await client.request("iteration/start", { runId, config, repeat: count - 1 })).id;
  }
  if (active.state === "paused") await client.request("iteration/resume", { iterationId: active.id });
  return active.id;
}

/** Calls back for each change of an iteration of this run; resolves with the last one: the `count`th done, or one that failed or was cancelled. */
function followIterations(
  client: BridgeClient,
  runId: string,
  count: number,
  onChange: (iteration: Iteration) => void,
): Promise<Iteration> {
  const done = new Set<string>();
  return new Promise((resolve, reject) => {
    client.on("event/batch", ({ events }) => {
      for (const event of events) {
        if (event.kind !== "iteration/changed" || event.data.runId !== runId || done.has(event.data.id)) continue;
        onChange(event.data);
        if (event.data.state === "done") done.add(event.data.id);
        const isOver = event.data.state === "failed" || event.data.state === "cancelled";
        if (isOver || done.size >= count) return resolve(event.data);
      }
    });
    client.on("event/resync", () =>
      reject(
        new Error("Events came faster than they could be read. The iteration goes on; `touchline status` shows it."),
      ),
    );
    void client.ended.then(({ reason }) =>
      reject(
        new Error(
          `The bridge closed the connection${reason === "" ? "" : ` (${reason})`}. The iteration is kept where it was; it goes on when the bridge runs again.`,
        ),
      ),
    );
  });
}

/** Constants given as name=value, checked against the words of the protocol. */
export function constantsOf(pairs: readonly string[]): Partial<IterationConfig> {
  const given = pairs.map((pair) => {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    if (at < 1 || !Object.hasOwn(IterationConfig.shape, name)) {
      throw new UsageError(
        `--set takes name=value with one of ${Object.keys(IterationConfig.shape).join(", ")}; not "${pair}".`,
      );
    }
    const text = pair.slice(at + 1);
    return [name, name === "review" ? text : text.trim() === "" ? Number.NaN : Number(text)] as const;
  });
  const constants = Object.fromEntries(given);
  const checked = IterationConfig.safeParse(constants);
  if (!checked.success) throw new UsageError(`--set: ${describe(checked.error)}`);
  return constants as Partial<IterationConfig>;
}

function stateLine({ index, state, progress, message }: Iteration): string {
  const amount = progress.total > 0 ? ` ${progress.done}/${progress.total}` : "";
  return `iteration ${index}: ${state}${amount}${message === null ? "" : ` (${message})`}`;
}

function doneLine({ index, batch, evaluationBefore, evaluationAfter, timings }: Iteration): string {
  const seconds = Object.values(timings).reduce((sum, ms) => sum + ms, 0) / 1000;
  const held =
    evaluationAfter === null ? "" : `, held-out ${percent(evaluationBefore?.rate)} → ${percent(evaluationAfter.rate)}`;
  return `iteration ${index} done in ${seconds.toFixed(1)} s: batch success ${percent(batch?.rate)}${held}`;
}
