// touchline status: what the bridge is doing and what its store holds.
import { connectToRunning, withBridge } from "./bridge.ts";
import type { Report } from "./report.ts";
import type { RoomSettings } from "./rooms.ts";

/** Tells the status; the exit code. */
export async function status(settings: RoomSettings, report: Report): Promise<number> {
  const probe = await connectToRunning(settings.dir);
  await probe?.close();
  return withBridge({ ...settings, engine: "none" }, async (client) => {
    const found = await client.request("status/get", {});
    const { counts, activeIteration: active } = found;
    const lines = [
      probe === null
        ? "No bridge is serving this folder."
        : `A bridge (${found.bridgeVersion}) is serving this folder.`,
      `engine   ${found.engine.state}: ${found.engine.message}`,
      `sandbox  ${found.sandbox.state}: ${found.sandbox.message}`,
      `coach    ${found.coach.name}: ${found.coach.message}`,
      `store    ${counts.runs} runs, ${counts.trajectories} trajectories, ${counts.actions} actions, ${counts.overrides} overrides, ${counts.missingScores} missing scores`,
      active === null
        ? "no iteration is under way"
        : `iteration ${active.index}: ${active.state} ${active.progress.done}/${active.progress.total}`,
    ];
    report.result(lines.join("\n"), { isServing: probe !== null, ...found });
    return 0;
  });
}
