// Import Trajectories: sends files to the trainer in chunks and tells what came of them.
import path from "node:path";
import * as vscode from "vscode";
import { MAX_CHUNK_BYTES } from "../protocol/bridge.ts";
import type { Touchline } from "../touchline.ts";

/** One file's result, as the bridge counts it. */
interface Imported {
  readonly fileName: string;
  readonly trajectories: number;
  readonly actions: number;
  readonly duplicates: number;
  readonly problems: readonly { readonly where: string; readonly message: string }[];
}

/** Asks for files and imports each; `what` may be a file of the explorer. */
export async function importTrajectories(touchline: Touchline, what?: unknown): Promise<void> {
  const files =
    what instanceof vscode.Uri
      ? [what]
      : await vscode.window.showOpenDialog({
          title: vscode.l10n.t("Import Trajectories"),
          canSelectMany: true,
          filters: {
            [vscode.l10n.t("Trajectories")]: ["json", "jsonl", "ndjson"],
            [vscode.l10n.t("All files")]: ["*"],
          },
        });
  if (files === undefined || files.length === 0) return;
  const results = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t("Importing"), cancellable: true },
    async (progress, cancellation) => {
      const done: Imported[] = [];
      for (const file of files) {
        if (cancellation.isCancellationRequested) break;
        done.push(await importFile(touchline, file, (message) => progress.report({ message }), cancellation));
      }
      return done;
    },
  );
  // The message may stay until the person reads it; the import is over.
  void tell(touchline, results);
}

async function importFile(
  { link }: Touchline,
  file: vscode.Uri,
  report: (message: string) => void,
  cancellation: vscode.CancellationToken,
): Promise<Imported> {
  const fileName = path.basename(file.path);
  const bytes = Buffer.from(await vscode.workspace.fs.readFile(file));
  const { uploadId } = await link.request("import/begin", { fileName, sizeBytes: bytes.length });
  for (let offset = 0; offset < bytes.length; offset += MAX_CHUNK_BYTES) {
    if (cancellation.isCancellationRequested) throw new vscode.CancellationError();
    await link.request("import/chunk", {
      uploadId,
      offset,
      base64: bytes.subarray(offset, offset + MAX_CHUNK_BYTES).toString("base64"),
    });
    report(
      vscode.l10n.t(
        "{0}: sent {1}%",
        fileName,
        Math.round(Math.min(1, (offset + MAX_CHUNK_BYTES) / bytes.length) * 100),
      ),
    );
  }
  const result = await link.request(
    "import/finish",
    { uploadId },
    {
      cancellation,
      onProgress: ({ done, total }) => report(vscode.l10n.t("{0}: stored {1} of {2}", fileName, done, total)),
    },
  );
  return { fileName, ...result };
}

async function tell({ documents }: Touchline, results: readonly Imported[]): Promise<void> {
  const sum = (count: (result: Imported) => number) => results.reduce((total, result) => total + count(result), 0);
  const trajectories = sum((result) => result.trajectories);
  const duplicates = sum((result) => result.duplicates);
  const problems = sum((result) => result.problems.length);
  const parts = [
    vscode.l10n.t(
      "Imported {0} trajectories with {1} actions.",
      trajectories,
      sum((result) => result.actions),
    ),
  ];
  if (duplicates > 0) parts.push(vscode.l10n.t("{0} were there already and were left as they are.", duplicates));
  if (problems > 0) parts.push(vscode.l10n.t("{0} places could not be read; all else was kept.", problems));
  const showProblems = vscode.l10n.t("Show Problems");
  const show = problems > 0 ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
  const chosen = await show(parts.join(" "), ...(problems > 0 ? [showProblems] : []));
  if (chosen !== showProblems) return;
  const text = results
    .filter(({ problems: list }) => list.length > 0)
    .map(
      ({ fileName, problems: list }) =>
        `# ${fileName}\n\n${list.map(({ where, message }) => `- ${where}: ${message}`).join("\n")}`,
    );
  await documents.openNote(vscode.l10n.t("Problems of the import"), `${text.join("\n\n")}\n`);
}
