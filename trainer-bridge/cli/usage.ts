// The command line's words: what each command takes, read strictly, with one clear line for a mistake.
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** A mistake in the command line; its message is shown with the usage. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const usage = `touchline <command> --data DIR [options]

  serve      Serve the store in DIR to VS Code and other clients.
             --host H (127.0.0.1)  --port P (0: a free one)  --token-file F (DIR/token)
             --tls-cert F --tls-key F  --insecure-listen  --exit-with-parent
  rollout    Roll out tasks without training.
             --tasks N (16)  --samples N (1)  --concurrency N (16)  --no-coach  --run ID
  iterate    Run finetuning iterations.
             --count N (1)  --run ID  --set name=value (a constant of the iteration; may be repeated)
  import     Import files of other tools: touchline import --data DIR FILE...
             --run ID (add to this import run)
  status     Show what the bridge is doing.

Rooms, for serve and wherever no bridge is serving DIR:
  --engine auto|none|URL (auto)   --base MODEL_DIR   --python PATH   --engine-arg A (may be repeated)
  --coach rule|URL,MODEL (rule; an OpenAI-compatible coach; its key comes from TOUCHLINE_COACH_KEY)
  --policy [AGENT=]URL,MODEL (another model answers for that agent, or for all; key from TOUCHLINE_POLICY_KEY; may be repeated)
  --workflow-file F (a team as JSON)   --tasks-from NAME=gsm8k:F or NAME=aime:F (both may be repeated)

For rollout and iterate, when they make a run:  --workflow NAME (tiny-math)  --task-set NAME (arithmetic)  --seed N (1)
--json prints one JSON object a line; --verbose shows the log. Ctrl+C cancels; what is finished is kept.
`;

const rooms = {
  data: { type: "string" },
  engine: { type: "string", default: "auto" },
  base: { type: "string" },
  python: { type: "string" },
  "engine-arg": { type: "string", multiple: true },
  coach: { type: "string", default: "rule" },
  policy: { type: "string", multiple: true },
  "workflow-file": { type: "string", multiple: true },
  "tasks-from": { type: "string", multiple: true },
  workflow: { type: "string", default: "tiny-math" },
  "task-set": { type: "string", default: "arithmetic" },
  seed: { type: "string", default: "1" },
  verbose: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const satisfies ParseArgsOptionsConfig;

const own = {
  serve: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    "token-file": { type: "string" },
    "tls-cert": { type: "string" },
    "tls-key": { type: "string" },
    "insecure-listen": { type: "boolean", default: false },
    "exit-with-parent": { type: "boolean", default: false },
  },
  rollout: {
    tasks: { type: "string", default: "16" },
    samples: { type: "string", default: "1" },
    concurrency: { type: "string", default: "16" },
    "no-coach": { type: "boolean", default: false },
    run: { type: "string" },
  },
  iterate: {
    count: { type: "string", default: "1" },
    set: { type: "string", multiple: true },
    run: { type: "string" },
  },
  import: { run: { type: "string" } },
} as const satisfies Record<string, ParseArgsOptionsConfig>;

const readers = {
  serve: (args: string[]) => ({
    command: "serve" as const,
    ...parseArgs({ args, options: { ...rooms, ...own.serve } }),
  }),
  rollout: (args: string[]) => ({
    command: "rollout" as const,
    ...parseArgs({ args, options: { ...rooms, ...own.rollout } }),
  }),
  iterate: (args: string[]) => ({
    command: "iterate" as const,
    ...parseArgs({ args, options: { ...rooms, ...own.iterate } }),
  }),
  import: (args: string[]) => ({
    command: "import" as const,
    ...parseArgs({ args, options: { ...rooms, ...own.import }, allowPositionals: true }),
  }),
  status: (args: string[]) => ({ command: "status" as const, ...parseArgs({ args, options: rooms }) }),
};

export type CommandName = keyof typeof readers;
/** The options of one command. */
export type CommandOf<C extends CommandName> = ReturnType<(typeof readers)[C]>;
/** A command with its options. */
export type Command = CommandOf<CommandName>;

/** Whether this word is a command. */
export function isCommand(word: string): word is CommandName {
  return Object.hasOwn(readers, word);
}

/** Reads the options of a command; `UsageError` names the mistake. */
export function readCommand(command: CommandName, argv: readonly string[]): Command {
  try {
    return readers[command]([...argv]);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

/** A whole number of an option within its bounds. */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not "${text}".`);
  }
  return value;
}

/** The data folder, which every command needs. */
export function dataDir(values: { data?: string | undefined }): string {
  if (values.data === undefined || values.data === "")
    throw new UsageError("--data DIR is missing: the folder of the store.");
  return values.data;
}
