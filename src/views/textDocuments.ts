// Read-only documents of trajectories and of single fields, made when VS Code asks for them.
import * as vscode from "vscode";
import type { ActionView } from "../protocol/bridge.ts";
import type { TrainerLink } from "../trainerLink.ts";
import { transcript } from "../transcript.ts";

/** Scheme of the documents. */
export const TEXT_SCHEME = "touchline-text";

/** Actions in one document, and characters of one field; more would make an editor slow. */
const MOST_ACTIONS = 2000;
const MOST_CHARACTERS = 5_000_000;

/** Gives VS Code the text of the documents, and opens them. */
export class TextDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly link: Pick<TrainerLink, "request">;
  private readonly registration: vscode.Disposable;
  private readonly notes = new Map<string, string>();

  constructor(link: Pick<TrainerLink, "request">) {
    this.link = link;
    this.registration = vscode.workspace.registerTextDocumentContentProvider(TEXT_SCHEME, this);
  }

  async openTrajectory(trajectoryId: string): Promise<void> {
    const { title } = await this.link.request("trajectory/get", { trajectoryId });
    await show(uri("trajectory", [trajectoryId], `${fileName(title)}.md`));
  }

  async openField(actionId: string, field: string): Promise<void> {
    const extension = field.endsWith("/input") ? "py" : field === "text" || field === "thinking" ? "md" : "txt";
    await show(uri("field", [actionId, field], `${fileName(field)}.${extension}`));
  }

  /** A text that exists only here, for instance the problems of an import. */
  async openNote(name: string, text: string): Promise<void> {
    this.notes.set(name, text);
    await show(uri("note", [name], `${fileName(name)}.md`));
  }

  async provideTextDocumentContent(asked: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    const [kind, ...ids] = JSON.parse(asked.query) as string[];
    const [id = "", field = ""] = ids;
    if (kind === "note") return this.notes.get(id) ?? "";
    return kind === "field" ? this.fieldText(id, field, token) : this.trajectoryText(id, token);
  }

  dispose(): void {
    this.registration.dispose();
  }

  private async trajectoryText(trajectoryId: string, token: vscode.CancellationToken): Promise<string> {
    const trajectory = await this.link.request("trajectory/get", { trajectoryId });
    const views: ActionView[] = [];
    let fromIndex: number | null = 0;
    while (fromIndex !== null && views.length < MOST_ACTIONS && !token.isCancellationRequested) {
      const page: { items: ActionView[]; nextIndex: number | null } = await this.link.request("action/list", {
        trajectoryId,
        fromIndex,
        limit: 200,
      });
      views.push(...page.items);
      fromIndex = page.nextIndex;
    }
    return transcript(trajectory, views, Math.max(0, trajectory.actionCount - views.length));
  }

  private async fieldText(actionId: string, field: string, token: vscode.CancellationToken): Promise<string> {
    let text = "";
    for (;;) {
      const part = await this.link.request("action/text", { actionId, field, offset: text.length, length: 100_000 });
      text += part.text;
      if (text.length >= part.total || part.text === "" || token.isCancellationRequested) return text;
      if (text.length >= MOST_CHARACTERS)
        return `${text}\n… ${part.total - text.length} further characters are left out here …\n`;
    }
  }
}

function uri(kind: string, ids: readonly string[], name: string): vscode.Uri {
  return vscode.Uri.from({ scheme: TEXT_SCHEME, path: `/${name}`, query: JSON.stringify([kind, ...ids]) });
}

async function show(document: vscode.Uri): Promise<void> {
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(document), { preview: true });
}

function fileName(title: string): string {
  return (
    title
      .replaceAll(/[^\p{L}\p{N} .-]+/gu, " ")
      .trim()
      .slice(0, 60) || "text"
  );
}
