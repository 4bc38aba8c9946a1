// What the person works with now: the run they chose, and the iteration that is neither done, cancelled nor failed.
import type * as vscode from "vscode";
import type { Library } from "./library.ts";
import { type Ending, Listeners } from "./listeners.ts";
import { errorLine, type Log } from "./log.ts";
import type { Iteration, Run } from "./protocol/model.ts";
import type { TrainerLink } from "./trainerLink.ts";

const OVER: readonly Iteration["state"][] = ["done", "cancelled", "failed"];

/** The current run and iteration, kept from the status of the bridge and its events. */
export class Work {
  private readonly link: TrainerLink;
  private readonly library: Library;
  private readonly memory: vscode.Memento;
  private readonly changed: Listeners<void>;
  private active: Iteration | null = null;

  constructor(link: TrainerLink, library: Library, memory: vscode.Memento, log: Log) {
    this.link = link;
    this.library = library;
    this.memory = memory;
    this.changed = new Listeners((error) => log.error(`work: ${errorLine(error)}`));
    link.onSnapshot(() => {
      link
        .request("status/get", {})
        .then(({ activeIteration }) => this.become(activeIteration))
        .catch((error: unknown) => log.warn(`status: ${errorLine(error)}`));
    });
    link.onEvents((events) => {
      for (const event of events) {
        if (event.kind !== "iteration/changed") continue;
        if (!OVER.includes(event.data.state)) this.become(event.data);
        else if (this.active?.id === event.data.id) this.become(null);
      }
    });
  }

  /** Neither done, cancelled nor failed; null where there is none. */
  get iteration(): Iteration | null {
    return this.active;
  }

  readonly onChange = (listener: () => void): Ending => this.changed.add(listener);

  get runId(): string | null {
    return this.memory.get<string>("work.runId") ?? null;
  }

  chooseRun(runId: string): void {
    void this.memory.update("work.runId", runId);
    this.changed.tell();
  }

  /** The run of the running iteration, else the one chosen, else the newest training run. */
  async run(): Promise<Run | undefined> {
    if (this.link.status.state !== "connected") return undefined;
    const { items } = await this.library.runs();
    const wanted = [this.active?.runId, this.runId]
      .map((id) => items.find((run) => run.id === id))
      .find((run) => run !== undefined);
    return wanted ?? items.find((run) => run.kind === "training") ?? items[0];
  }

  private become(iteration: Iteration | null): void {
    this.active = iteration;
    this.changed.tell();
  }
}
