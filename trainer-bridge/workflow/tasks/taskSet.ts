// Where tasks come from: the built-in generator, or a file of somebody's problems.
import type { Task } from "../../../src/protocol/model.ts";
import { arithmeticTask } from "./arithmetic.ts";
import { hashText, seededRandom } from "./random.ts";
import { type BrokenRow, readAime, readGsm8k, type TaskRow } from "./taskFile.ts";

/** Tasks by number. `size` is null where there is no end to them. */
export interface TaskSet {
  readonly name: string;
  readonly size: number | null;
  /** Rows of the file that were left out, and why. */
  readonly broken: readonly BrokenRow[];
  /** The task of that 0-based number; past the end it begins again. The same number is always the same task. */
  task(index: number): Task;
}

/** A task set that cannot be opened. */
export class TaskError extends Error {
  override readonly name = "TaskError";
}

/** How a task set is opened. */
export interface TaskSetOptions {
  /** Decides the draws and the order. */
  readonly seed: number;
  /** The held-out fifth of the problems; no problem is both held out and trained on, whatever the seed. */
  readonly heldOut: boolean;
  /** Reads a task file; without it only the built-in generator can be opened. */
  readonly readText?: (file: string) => string;
}

const readers: Readonly<Record<string, (text: string) => { rows: TaskRow[]; broken: BrokenRow[] }>> = {
  gsm8k: readGsm8k,
  aime: readAime,
};

/** Whether the problem belongs to the held-out fifth: decided by its text alone. */
export function isHeldOut(problem: string): boolean {
  return hashText(problem) % 5 === 0;
}

/** Opens `arithmetic`, `gsm8k:<file.jsonl>` or `aime:<file.json>` (AMC files are of the same form). */
export function openTaskSet(name: string, options: TaskSetOptions): TaskSet {
  if (name === "arithmetic") return generated(options);
  const [kind = "", ...rest] = name.split(":");
  const file = rest.join(":");
  const read = Object.hasOwn(readers, kind) ? readers[kind] : undefined;
  if (read === undefined || file === "") {
    throw new TaskError(
      `There is no task set "${name}"; there are arithmetic, gsm8k:<file.jsonl> and aime:<file.json>.`,
    );
  }
  if (options.readText === undefined) throw new TaskError(`Task files cannot be read here; "${name}" was not opened.`);
  return fromRows(name, file, read(textOf(file, options.readText)), options);
}

function textOf(file: string, readText: (file: string) => string): string {
  try {
    return readText(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TaskError(`The task file ${file} could not be read: ${reason}. Check the path; nothing was changed.`, {
      cause,
    });
  }
}

function generated({ seed, heldOut }: TaskSetOptions): TaskSet {
  return {
    name: "arithmetic",
    size: null,
    broken: [],
    task: (index) => {
      const random = seededRandom(`arithmetic/${heldOut ? "held-out" : "training"}/${seed}/${index}`);
      for (;;) {
        const drawn = arithmeticTask(random);
        if (isHeldOut(drawn.problem) !== heldOut) continue;
        const { problem, answer, meta } = drawn;
        return {
          id: `arithmetic-${heldOut ? "h" : "t"}${seed}-${index}`,
          setName: "arithmetic",
          problem,
          answer,
          meta,
        };
      }
    },
  };
}

function fromRows(
  name: string,
  file: string,
  read: { rows: TaskRow[]; broken: BrokenRow[] },
  options: TaskSetOptions,
): TaskSet {
  const rows = shuffled(
    read.rows.filter((row) => isHeldOut(row.problem) === options.heldOut),
    options.seed,
  );
  if (rows.length === 0) {
    const first = read.broken[0];
    const why = first === undefined ? "" : ` The first broken row is line ${first.line}: ${first.message}.`;
    const part = options.heldOut ? "held-out " : "";
    throw new TaskError(
      `${file} has no readable ${part}task among ${read.rows.length + read.broken.length} rows.${why}`,
    );
  }
  const setName = file.split(/[\\/]/).at(-1) ?? file;
  return {
    name,
    size: rows.length,
    broken: read.broken,
    task: (index) => {
      const row = rows[index % rows.length];
      if (row === undefined) throw new TaskError(`There is no task ${index}; numbers are whole and start at 0.`);
      return { id: row.id, setName, problem: row.problem, answer: row.answer, meta: row.meta };
    },
  };
}

function shuffled(rows: readonly TaskRow[], seed: number): TaskRow[] {
  const random = seededRandom(`order/${seed}`);
  const order = [...rows];
  for (let place = order.length - 1; place > 0; place--) {
    const other = random.integer(0, place);
    const [here, there] = [order[place], order[other]];
    if (here !== undefined && there !== undefined) [order[place], order[other]] = [there, here];
  }
  return order;
}
