// What a key does on the Trajectory page. Keys arrive from the host, so that a person can remap them.
import type { Page } from "./deeds.ts";

/** The keys, for the help: what is pressed and what it does. */
export const KEYS: readonly { readonly keys: readonly string[]; readonly text: string }[] = [
  { keys: ["j", "k"], text: "Next, previous action" },
  { keys: ["0", "…", "9"], text: "Score the selected action" },
  { keys: ["="], text: "Score it 10" },
  { keys: ["e"], text: "Write the reason" },
  { keys: ["Enter"], text: "Save the score" },
  { keys: ["Esc"], text: "Cancel the score" },
  { keys: ["a"], text: "Accept the coach's score" },
  { keys: ["u"], text: "Undo your override" },
  { keys: ["n"], text: "Next in the review queue" },
  { keys: ["?"], text: "Show or hide these keys" },
];

/** Whether the keyboard is writing text, where letters are letters. */
export function isTyping(element: Element | null): boolean {
  if (element instanceof HTMLTextAreaElement) return true;
  return element instanceof HTMLInputElement && element.type !== "radio";
}

/** Acts on a key of the page. */
export function pressKey(page: Page, key: string): void {
  if (isTyping(document.activeElement)) return;
  const state = page.state();
  if (key === "?") page.send({ type: "help", isOpen: !state.isHelpOpen });
  if (key === "?" || state.phase !== "ready" || state.isHelpOpen) return;
  const at = state.selected;
  if (key === "n") page.run("nextInQueue");
  const step = key === "j" ? 1 : key === "k" ? -1 : 0;
  if (step !== 0) page.send({ type: "select", index: at === null ? 0 : at + step, isWished: true, takesFocus: true });
  const actionId = at === null ? undefined : state.marks[at]?.actionId;
  if (actionId === undefined || !state.connection.canOverride) return;
  if (/^[0-9]$/.test(key) || key === "=") {
    page.edit(actionId, { value: key === "=" ? 10 : Number(key) });
    focusInControl("input:checked");
  } else if (key === "e") {
    const draft = state.drafts.get(actionId);
    if (draft?.value == null)
      page.edit(actionId, { value: state.marks[at ?? 0]?.override ?? state.marks[at ?? 0]?.coach ?? 5 });
    focusInControl("textarea");
  } else if (key === "u") void page.undo(actionId);
  else if (key === "a") void page.acceptCoach(actionId);
}

/** Drawing waits for the end of this turn, and so does the focus that needs what is drawn. */
function focusInControl(selector: string): void {
  queueMicrotask(() =>
    document.querySelector<HTMLElement>(`.scoreControl ${selector}`)?.focus({ preventScroll: true }),
  );
}

/** Enter saves and Escape cancels the selected action's draft, wherever on the page the focus is but on a control of its own. */
export function pressControlKey(page: Page, event: KeyboardEvent): void {
  const isOnRow =
    event.target === document.body || (event.target instanceof Element && event.target.matches(".action"));
  if (!isOnRow || (event.key !== "Enter" && event.key !== "Escape")) return;
  const state = page.state();
  const actionId = state.selected === null ? undefined : state.marks[state.selected]?.actionId;
  if (actionId === undefined || !state.drafts.has(actionId)) return;
  event.preventDefault();
  if (event.key === "Enter") void page.save(actionId);
  else page.send({ type: "draftEnded", actionId, isCommitted: false });
}
