// The bridge's entry and command line: touchline serve | rollout | iterate | import | status.
import { readFileSync } from "node:fs";
import path from "node:path";
import { importFiles } from "./cli/importFiles.ts";
import { iterate } from "./cli/iterate.ts";
import { logTo, reportTo } from "./cli/report.ts";
import { rollout } from "./cli/rollout.ts";
import type { RoomSettings } from "./cli/rooms.ts";
import { serve } from "./cli/serve.ts";
import { status } from "./cli/status.ts";
import { type Command, dataDir, isCommand, readCommand, UsageError, usage } from "./cli/usage.ts";

/** Runs one command; the exit code: 0 done, 1 failed, 2 used wrongly, 130 cancelled. */
async function run(argv: readonly string[]): Promise<number> {
  const [name = "", ...rest] = argv;
  if (name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(usage);
    return 0;
  }
  if (!isCommand(name)) throw new UsageError(name === "" ? "Name a command." : `There is no command "${name}".`);
  const command = readCommand(name, rest);
  if (command.values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const report = reportTo(command.values.json);
  switch (command.command) {
    case "serve":
      return serve(command, settingsOf(command));
    case "rollout":
      return rollout(command, settingsOf(command), report);
    case "iterate":
      return iterate(command, settingsOf(command), report);
    case "import":
      return importFiles(command, settingsOf(command), report);
    case "status":
      return status(settingsOf(command), report);
  }
}

function settingsOf({ command, values }: Command): RoomSettings {
  // Both the bundle in dist/ and this file lie one folder below the installation.
  const installation = path.resolve(import.meta.dirname, "..");
  const { version } = JSON.parse(readFileSync(path.join(installation, "package.json"), "utf8")) as { version: string };
  const isVerbose = command === "serve" || values.verbose;
  return {
    dir: dataDir(values),
    installation,
    version,
    engine: values.engine,
    base: values.base ?? null,
    python: values.python ?? null,
    engineArgs: values["engine-arg"] ?? [],
    coach: values.coach,
    policies: values.policy ?? [],
    workflowFiles: values["workflow-file"] ?? [],
    taskSets: values["tasks-from"] ?? [],
    isResuming: false,
    environment: process.env,
    log: isVerbose ? logTo(process.stderr) : () => undefined,
  };
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const isMisuse = error instanceof UsageError;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${isMisuse ? `\n${usage}` : ""}`);
  process.exitCode = isMisuse ? 2 : 1;
}
// Kept-alive HTTP connections of policies and coaches must not hold a finished command.
process.exit();
