// The parts of the host as commands see them.
import type * as vscode from "vscode";
import type { Library } from "./library.ts";
import type { LocalTrainer } from "./local/localTrainer.ts";
import type { Overrides } from "./overrides.ts";
import type { TrainerLink } from "./trainerLink.ts";
import type { PoliciesTree } from "./views/policiesTree.ts";
import type { QueueTree } from "./views/queueTree.ts";
import type { RunsNode, RunsTree } from "./views/runsTree.ts";
import type { TextDocuments } from "./views/textDocuments.ts";
import type { TrainingPlace } from "./views/trainingPlace.ts";
import type { TrajectoryPlaces } from "./views/trajectoryPlaces.ts";
import type { Work } from "./work.ts";

/** One of each; made by `openTouchline`, ended with the extension. */
export interface Touchline {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
  readonly link: TrainerLink;
  readonly local: LocalTrainer;
  readonly library: Library;
  readonly overrides: Overrides;
  readonly work: Work;
  readonly places: TrajectoryPlaces;
  readonly training: TrainingPlace;
  readonly documents: TextDocuments;
  readonly runs: RunsTree;
  readonly runsView: vscode.TreeView<RunsNode>;
  readonly queue: QueueTree;
  readonly policies: PoliciesTree;
}
