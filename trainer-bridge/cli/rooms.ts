// Opens every room behind the server in order, from the command line's settings, and closes them in the other order.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { Coach } from "../coach/coach.ts";
import { llmCoach } from "../coach/llmCoach.ts";
import { ruleCoach } from "../coach/ruleCoach.ts";
import { importFile } from "../interchange/importFile.ts";
import { openAiPolicy } from "../rollouts/openAiPolicy.ts";
import type { Policy } from "../rollouts/sample.ts";
import { openSandbox } from "../sandbox/sandbox.ts";
import type { Log, Rooms } from "../server/rooms.ts";
import { openStore, type Store } from "../store/store.ts";
import { connectEngine, type EngineClient } from "../training/engineClient.ts";
import { superviseEngine } from "../training/engineProcess.ts";
import { openTrainer, type Trainer } from "../training/trainer.ts";
import { parseWorkflow, WORKFLOW_NAMES, type Workflow, workflow } from "../workflow/workflow.ts";
import { UsageError } from "./usage.ts";

/** What the rooms need to know. Paths may be relative to the working folder. */
export interface RoomSettings {
  readonly dir: string;
  /** The folder that Touchline is installed in. */
  readonly installation: string;
  readonly version: string;
  /** `auto`: a local engine; `none`; or the URL of one. */
  readonly engine: string;
  readonly base: string | null;
  readonly python: string | null;
  readonly engineArgs: readonly string[];
  /** `rule`, or `URL,MODEL`. */
  readonly coach: string;
  /** `[AGENT=]URL,MODEL`: other models that answer for agents. */
  readonly policies: readonly string[];
  readonly workflowFiles: readonly string[];
  /** `NAME=KIND:FILE`. */
  readonly taskSets: readonly string[];
  /** Go on with an iteration that was left unfinished. */
  readonly isResuming: boolean;
  /** Where keys come from: TOUCHLINE_COACH_KEY, TOUCHLINE_POLICY_KEY, TOUCHLINE_PYTHON. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** The opened rooms. */
export interface OpenRooms {
  readonly store: Store;
  readonly trainer: Trainer;
  readonly forServer: Rooms;
  close(): Promise<void>;
}

/** Opens store, sandbox, engine and trainer; what was opened before a failure is closed again. */
export async function openRooms(settings: RoomSettings): Promise<OpenRooms> {
  const { log } = settings;
  const dir = path.resolve(settings.dir);
  const coach = coachOf(settings);
  const outside = policiesOf(settings);
  const workflows = Object.fromEntries(settings.workflowFiles.map(workflowFrom).map((one) => [one.name, one]));
  const taskSets = taskSetsOf(settings.taskSets);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const closing: (() => void | Promise<void>)[] = [];
  const close = async () => {
    for (let end = closing.pop(); end !== undefined; end = closing.pop()) {
      try {
        await end();
      } catch (error) {
        log("A room could not be closed cleanly; what was acknowledged is on disk.", error);
      }
    }
  };
  try {
    const store = openStore(dir);
    closing.push(() => store.close());
    const uploadsDir = path.join(dir, "uploads");
    rmSync(uploadsDir, { recursive: true, force: true });
    const sandbox = await openSandbox();
    closing.push(() => sandbox.close());
    const engine = engineOf(settings, dir, store, closing);
    const trainer = openTrainer({
      store,
      engine,
      sandbox,
      coach,
      outside,
      workflows,
      taskSets,
      log,
    });
    closing.push(() => trainer.close());
    if (settings.isResuming) await trainer.resumeUnfinished();
    return {
      store,
      trainer,
      forServer: { store, trainer, importer: importFile, log, version: settings.version, uploadsDir },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function engineOf(
  settings: RoomSettings,
  dir: string,
  store: Store,
  closing: (() => Promise<void> | void)[],
): EngineClient | null {
  const { engine, installation, environment, log } = settings;
  if (engine === "none") return null;
  if (engine !== "auto") {
    if (!/^https?:\/\//.test(engine))
      throw new UsageError(`--engine takes auto, none or an http(s) URL, not "${engine}".`);
    return connectEngine(engine, { token: environment["TOUCHLINE_ENGINE_TOKEN"] ?? null });
  }
  const base = path.resolve(settings.base ?? path.join(installation, "trainer-bridge/policy/warm"));
  if (!existsSync(base)) {
    log(
      `There is no base policy at ${base}, so no engine was started; reading and overrides work. Give --base MODEL_DIR.`,
    );
    return null;
  }
  const own = path.join(installation, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const python = settings.python ?? environment.TOUCHLINE_PYTHON ?? (existsSync(own) ? own : "python3");
  const supervised = superviseEngine({
    python,
    engineDir: path.join(installation, "trainer-bridge/engine"),
    stateDir: path.join(dir, "engine"),
    base,
    args: settings.engineArgs,
    announce(state, message) {
      try {
        store.announceEngine(state, message);
      } catch (error) {
        log(`The engine is ${state}: ${message} This could not be stored.`, error);
      }
    },
    log,
  });
  closing.push(() => supervised.close());
  return supervised.client;
}

function coachOf({ coach, environment }: RoomSettings): Coach {
  if (coach === "rule") return ruleCoach();
  const { url, model } = urlAndModel("coach", coach);
  return llmCoach({ baseUrl: url, model, apiKey: environment.TOUCHLINE_COACH_KEY ?? null });
}

function policiesOf({ policies, environment, workflowFiles }: RoomSettings): Record<string, Policy> {
  const outside: Record<string, Policy> = {};
  const everyone = () =>
    [...WORKFLOW_NAMES.map(workflow), ...workflowFiles.map(workflowFrom)].flatMap(({ agents }) =>
      agents.map(({ name }) => name),
    );
  for (const text of policies) {
    const [, agent, rest] = /^(?:([a-z][a-z0-9_]*)=)?(.*)$/.exec(text) ?? [];
    const { url, model } = urlAndModel("policy", rest ?? "");
    const sample = openAiPolicy(url, environment.TOUCHLINE_POLICY_KEY ?? null);
    for (const name of agent === undefined ? everyone() : [agent]) outside[name] = { sample, model };
  }
  return outside;
}

function taskSetsOf(pairs: readonly string[]): Record<string, string> {
  const named = pairs.map((pair) => {
    const [, name, kind, file] = /^([\w.-]+)=(\w+):(.+)$/.exec(pair) ?? [];
    if (name === undefined || kind === undefined || file === undefined) {
      throw new UsageError(`--tasks-from takes NAME=KIND:FILE with KIND gsm8k or aime, not "${pair}".`);
    }
    return [name, `${kind}:${path.resolve(file)}`] as const;
  });
  return { arithmetic: "arithmetic", ...Object.fromEntries(named) };
}

function workflowFrom(file: string): Workflow {
  return parseWorkflow(JSON.parse(readFileSync(file, "utf8")));
}

function urlAndModel(option: string, text: string): { url: string; model: string } {
  const at = text.indexOf(",");
  const [url, model] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 0 || !/^https?:\/\//.test(url) || model === "")
    throw new UsageError(`--${option} takes URL,MODEL, not "${text}".`);
  return { url, model };
}
