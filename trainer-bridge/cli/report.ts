// What a command tells the person at the terminal: lines, or one JSON object a line.

/** Where a command's output goes. */
export interface Report {
  /** A result. In JSON mode the object, else the line. */
  result(line: string, object: object): void;
  /** Something on the way, shown to people only. */
  step(line: string): void;
}

/** Writes results to stdout and steps to stderr. */
export function reportTo(
  isJson: boolean,
  out: NodeJS.WritableStream = process.stdout,
  steps: NodeJS.WritableStream = process.stderr,
): Report {
  let lastStep = "";
  return {
    result: (line, object) => void out.write(isJson ? `${JSON.stringify(object)}\n` : `${line}\n`),
    step(line) {
      if (isJson || line === lastStep) return;
      lastStep = line;
      steps.write(`${line}\n`);
    },
  };
}

/** A log on stderr: one line each, with the time; an error's stack follows it. */
export function logTo(out: NodeJS.WritableStream): (message: string, error?: unknown) => void {
  return (message, error) => {
    const detail =
      error === undefined ? "" : ` ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    out.write(`${new Date().toISOString()} ${message}${detail}\n`);
  };
}

/** A rate as people read it. */
export function percent(rate: number | null | undefined): string {
  return rate === null || rate === undefined ? "–" : `${Math.round(rate * 100)} %`;
}
