// The engine command log: every mutating command is stored before it is sent, and applied exactly once whatever dies.
import { trainingVerbs } from "../../src/protocol/engine.ts";
import type { Store } from "../store/store.ts";
import { type EngineClient, EngineError, mayPass, type Verb, type VerbResult } from "./engineClient.ts";

/** A mutating verb: its body carries `agent` and `seq`. */
export type CommandVerb = Extract<
  Verb,
  "/train/forward_backward" | "/train/optim_step" | "/train/publish" | "/train/save"
>;

/** One command of an agent; `bodyBlob` is the exact request body, already in the store. */
export interface Command<V extends CommandVerb = CommandVerb> {
  /** The engine's name of the agent. */
  readonly agent: string;
  /** Rises by one per agent, from 1. */
  readonly seq: number;
  readonly iterationId: string | null;
  readonly verb: V;
  readonly bodyBlob: string;
}

/** How an agent's policy is made at the engine, so that a lost engine can be built again. */
export interface PolicyKind {
  readonly kind: "full" | "lora";
  readonly rank?: number;
  readonly alpha?: number;
  readonly seed?: number;
}

/** The log of all commands to one engine. */
export interface Commands {
  /** Makes the agent at the engine where it is missing, and sends it every command it has not applied. */
  synchronise(agent: string): Promise<void>;
  /** Stores the command, sends it and stores the reply; a command that has a reply already is not sent again. */
  apply<V extends CommandVerb>(command: Command<V>): Promise<VerbResult<V>>;
  /** Runs a read-only call; while the engine is away it waits, brings the engine up to date and asks again. */
  asking<T>(agents: readonly string[], ask: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

const ATTEMPTS = 6;

/** Opens the command log. `kindOf` answers how an agent's policy was made. */
export function openCommands(
  store: Store,
  engine: EngineClient,
  kindOf: (agent: string) => PolicyKind,
  log: (message: string) => void,
): Commands {
  async function synchronise(agent: string): Promise<void> {
    let row = await stateOf(agent);
    if (row === undefined) {
      await engine.call("/train/create", { agent, ...kindOf(agent) });
      row = await stateOf(agent);
    }
    let applied = row?.lastSeq ?? 0;
    const newest = [...(row?.checkpoints ?? [])].sort((a, b) => b.lastSeq - a.lastSeq)[0];
    if (newest !== undefined && newest.lastSeq > applied) {
      applied = (await engine.call("/train/load", { agent, name: newest.name })).lastSeq;
    }
    const known = store.lastCommandSeq(agent);
    if (applied > known) {
      const message = `The engine has applied ${applied} commands to ${agent}, but this store knows ${known}. The engine's folder belongs to another store; nothing was sent. Start the engine with an empty state folder.`;
      throw new EngineError("refused", message);
    }
    for (const command of store.commands(agent, applied)) {
      log(`engine: command ${command.seq} of ${agent} (${command.path}) is sent again.`);
      const reply = await engine.send(command.path as CommandVerb, bodyOf(command.bodyBlob));
      if (command.reply === null) store.finishCommand(agent, command.seq, reply);
      else warnIfOther(command.path, agent, command.reply, reply);
    }
  }

  async function stateOf(agent: string) {
    return (await engine.state()).agents.find((row) => row.agent === agent);
  }

  function bodyOf(sha256: string): string {
    const blob = store.blob(sha256);
    if (blob === null) throw new Error(`The body of an engine command is gone from the store (blob ${sha256}).`);
    return blob.bytes.toString("utf8");
  }

  function warnIfOther(path: string, agent: string, before: unknown, after: unknown): void {
    const sha = (reply: unknown) =>
      typeof reply === "object" && reply !== null && "sha256" in reply ? String(reply.sha256) : null;
    if (sha(before) !== sha(after)) {
      log(`engine: ${path} of ${agent} gave weights ${sha(after)} when sent again, and ${sha(before)} the first time.`);
    }
  }

  async function asking<T>(agents: readonly string[], ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof EngineError) || !mayPass(error) || attempt === ATTEMPTS) throw error;
        log(`engine: ${error.message} Attempt ${attempt} of ${ATTEMPTS}.`);
      }
      try {
        await engine.ready(signal);
        for (const agent of agents) await synchronise(agent);
      } catch (error) {
        // It died again while it was brought up to date: the next attempt starts over.
        if (!(error instanceof EngineError) || !mayPass(error) || attempt === ATTEMPTS - 1) throw error;
      }
    }
  }

  async function apply<V extends CommandVerb>(command: Command<V>): Promise<VerbResult<V>> {
    const { agent, seq, verb } = command;
    if (seq > store.lastCommandSeq(agent)) {
      store.addCommand({ agent, seq, iterationId: command.iterationId, path: verb, bodyBlob: command.bodyBlob });
    }
    // While the engine was away `synchronise` may have sent this very command; the engine answers a repeat from memory.
    return asking([agent], async () => {
      const stored = store.commands(agent, seq - 1)[0];
      if (stored === undefined || stored.seq !== seq) throw new Error(`Command ${seq} of ${agent} is not in the log.`);
      if (stored.reply !== null) return trainingVerbs[verb].result.parse(stored.reply) as VerbResult<V>;
      const reply = await engine.send(verb, bodyOf(stored.bodyBlob));
      store.finishCommand(agent, seq, reply);
      return reply;
    });
  }

  return { synchronise, apply, asking };
}
