// kill -9 of bridge and engine at random points of training: it goes on, nothing acknowledged is lost, no step is taken twice.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { openStore, type Store } from "../../trainer-bridge/store/store.ts";
import type { CommandVerb } from "../../trainer-bridge/training/commands.ts";
import { startEngine } from "../../trainer-bridge/training/engineProcess.ts";
import { engineName, policyKind, RunConfig } from "../../trainer-bridge/training/team.ts";
import { engineDir, missingForTraining, pythonPath, temporaryFolder, warmPolicy } from "./trainingRooms.ts";

/** 20 by TOUCHLINE_KILLS=20; fewer in the everyday run. */
const KILLS = Number(process.env.TOUCHLINE_KILLS ?? 6);
/** The kill points follow from this; another one tries others. */
const SEED = process.env.TOUCHLINE_KILL_SEED ?? "1";

const missing = missingForTraining();
const script = path.join(import.meta.dirname, "killedBridge.ts");

interface Told {
  readonly finished: Set<string>;
  readonly overrides: Set<string>;
  readonly steps: string[];
  readonly kills: string[];
}

/** The next kill: after so many lines, and so many milliseconds more. */
interface Kill {
  readonly what: "bridge" | "engine";
  readonly afterLines: number;
  readonly delayMs: number;
}

/** Starts the bridge over the folder; `nextKill` answers what to kill next, null for nothing more. True once it is idle by itself. */
function lifeOf(dir: string, told: Told, nextKill: () => Kill | null): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const args = ["--disable-warning=ExperimentalWarning", script, dir, "overrides"];
    const child: ChildProcess = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let lines = 0;
    let enginePid: number | null = null;
    let isIdle = false;
    let kill = nextKill();
    let timer: NodeJS.Timeout | undefined;
    let errors = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    if (child.stdout === null) throw new Error("no stdout");
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines++;
      const [word, id = ""] = line.split(" ");
      if (word === "engine") enginePid = Number(id);
      if (word === "finished") told.finished.add(id);
      if (word === "override") told.overrides.add(id);
      if (word === "step") told.steps.push(id);
      if (word === "idle") isIdle = id === "0";
      if (kill === null || lines < kill.afterLines || timer !== undefined) return;
      const { what, delayMs } = kill;
      timer = setTimeout(() => {
        timer = undefined;
        const pid = what === "bridge" ? child.pid : enginePid;
        if (isIdle || pid === undefined || pid === null) return;
        told.kills.push(`${what}, ${delayMs} ms after "${line}"`);
        process.kill(pid, "SIGKILL");
        enginePid = null;
        kill = what === "bridge" ? null : nextKill();
        lines = 0;
      }, delayMs);
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (signal === null && code !== 0) reject(new Error(`The bridge ended with ${code}.\n${errors.slice(-3000)}`));
      else resolve(isIdle);
    });
  });
}

/** 0 ≤ n < limit, from the seed and a name. */
function draw(name: string, limit: number): number {
  return createHash("sha256").update(`${SEED}/${name}`).digest().readUInt32BE(0) % limit;
}

/** Sends every stored command of an agent, in order, to a fresh engine with an empty folder; answers what it published. */
async function replayed(store: Store): Promise<string[]> {
  const folder = temporaryFolder();
  const engine = await startEngine({
    python: pythonPath,
    engineDir,
    stateDir: folder.dir,
    base: warmPolicy,
    announce: () => {},
    log: () => {},
  });
  try {
    const [run] = store.runs({ cursor: null, limit: 1 }).items;
    if (run === undefined) throw new Error("no run");
    const published: string[] = [];
    for (const agent of run.agents) {
      const name = engineName(run.id, agent);
      await engine.client.call("/train/create", { agent: name, ...policyKind(RunConfig.parse(run.config), agent) });
      for (const command of store.commands(name, 0)) {
        const body = store.blob(command.bodyBlob)?.bytes.toString("utf8") ?? "";
        const reply = await engine.client.send(command.path as CommandVerb, body);
        if (command.path === "/train/publish" && "sha256" in reply) published.push(`${agent} ${reply.sha256}`);
      }
    }
    return published;
  } finally {
    await engine.close();
    folder.remove();
  }
}

test.skipIf(missing !== null)(
  `after ${KILLS} kills at random points two iterations end as if nothing had happened${missing === null ? "" : ` (left out: ${missing})`}`,
  { timeout: 60_000 + KILLS * 120_000 },
  async () => {
    const folder = temporaryFolder();
    const told: Told = { finished: new Set(), overrides: new Set(), steps: [], kills: [] };
    try {
      let drawn = 0;
      const nextKill = (): Kill | null => {
        if (told.kills.length >= KILLS) return null;
        drawn++;
        const what = draw(`what-${drawn}`, 2) === 0 ? "bridge" : "engine";
        return { what, afterLines: 1 + draw(`when-${drawn}`, 50), delayMs: draw(`delay-${drawn}`, 300) };
      };
      for (;;) {
        const isIdle = await lifeOf(folder.dir, told, nextKill);
        if (isIdle && told.kills.length >= KILLS) break;
        // Two iterations may be done before all kills are: then they are checked and others begin in the same way.
        if (isIdle) {
          await checkAll(folder.dir, told);
          rmSync(folder.dir, { recursive: true });
          told.finished.clear();
          told.overrides.clear();
          told.steps.length = 0;
        }
        expect(drawn).toBeLessThan(KILLS * 5 + 5);
      }
      console.log(told.kills.join("\n"));
      await checkAll(folder.dir, told);
    } finally {
      folder.remove();
    }
  },
);

async function checkAll(dir: string, told: Told): Promise<void> {
  checkStore(dir, told);
  await checkReplay(dir);
}

function checkStore(dir: string, told: Told): void {
  const store = openStore(path.join(dir, "store"));
  try {
    const [run] = store.runs({ cursor: null, limit: 1 }).items;
    const iterations = store.iterations(run?.id ?? "", { cursor: null, limit: 10 }).items;
    expect(iterations.map((iteration) => iteration.state)).toEqual(["done", "done"]);
    // Every finished rollout that was told of is there and was finished once.
    for (const id of told.finished) expect(store.trajectory(id).outcome.kind).toBe("completed");
    for (const iteration of iterations) {
      const filter = { iterationId: iteration.id, purpose: "train" } as const;
      const trained = store.trajectories(filter, { cursor: null, limit: 500 }).items;
      expect(trained).toHaveLength(16);
      for (const trajectory of trained) {
        const actions = store.actions(trajectory.id, 0, 10);
        expect(actions.map((action) => action.index)).toEqual(actions.map((_, i) => i));
      }
    }
    // Every override that was acknowledged is there, and was used or says why not.
    for (const id of told.overrides) {
      const actionId = id.slice("override-".length);
      expect(store.scores(actionId).some((score) => score.id === id && score.kind === "override")).toBe(true);
      expect(store.stepsUsingScore(id).length).toBeLessThanOrEqual(1);
    }
    expect(new Set(told.steps).size).toBe(told.steps.length);
    // The engine's own count of steps is the number of records: none was applied twice, none was left out.
    for (const agent of run?.agents ?? []) {
      const steps = iterations.flatMap((one) => store.steps(one.id)).filter((step) => step.agent === agent);
      expect(steps.map((step) => step.step)).toEqual(steps.map((_, i) => i + 1));
      const commands = store.commands(engineName(run?.id ?? "", agent), 0);
      expect(commands.map((command) => command.seq)).toEqual(commands.map((_, i) => i + 1));
      expect(commands.every((command) => command.reply !== null)).toBe(true);
    }
  } finally {
    store.close();
  }
}

/** The weights that were published are, bit for bit, those that an undisturbed engine makes of the same commands. */
async function checkReplay(dir: string): Promise<void> {
  const store = openStore(path.join(dir, "store"));
  try {
    const [run] = store.runs({ cursor: null, limit: 1 }).items;
    const recorded = store.checkpoints(run?.id ?? "").map((one) => `${one.agent} ${one.sha256}`);
    expect(recorded).toHaveLength(6);
    expect([...(await replayed(store))].sort()).toEqual([...recorded].sort());
  } finally {
    store.close();
  }
}
