// One action: who wrote it, what it wrote and ran, how it was scored.
import { useCallback } from "preact/hooks";
import type { ActionMark, ActionView } from "../../src/protocol/bridge.ts";
import { effectiveScore } from "../../src/protocol/effective.ts";
import type { Action, Evidence } from "../../src/protocol/model.ts";
import { agentTitle, versionText } from "../../src/protocol/title.ts";
import { agentClass } from "../agentColor.ts";
import { RichText } from "../content/richText.tsx";
import { Icon } from "../icon.tsx";
import { countText, durationText, pluralText } from "../quantity.ts";
import { ScoreChip } from "../scoreChip.tsx";
import { actionParts } from "./actionParts.ts";
import type { Page } from "./deeds.ts";
import { evidenceLines } from "./evidence.ts";
import { Observation } from "./observation.tsx";
import { Reasons } from "./reasons.tsx";
import { ScoreControl } from "./scoreControl.tsx";
import { isCovered, type State } from "./state.ts";
import { ToolCell } from "./toolCell.tsx";

/** Text up to this long is shown whole; of a longer one the beginning. Characters. */
const WHOLE_TEXT = 6000;
const FOLDED_TEXT = 3000;

interface Props {
  readonly index: number;
  readonly mark: ActionMark;
  readonly body: ActionView | null;
  /** Pixels to keep while the body is not here. */
  readonly room: number;
  readonly state: State;
  readonly page: Page;
  readonly keepRow: (index: number, element: HTMLElement | null) => void;
}

/** Draws an action; without its body, its header and the room it will take. */
export function ActionRow(props: Props) {
  const { index, mark, body, room, state, page, keepRow } = props;
  const isSelected = state.selected === index;
  const ref = useCallback((element: HTMLElement | null) => keepRow(index, element), [index, keepRow]);
  const agents = state.trajectory?.agents ?? [];
  const select = (event: MouseEvent) => {
    const isText = (window.getSelection()?.toString() ?? "") !== "";
    if (isSelected || isText || !(event.target instanceof Element)) return;
    page.send({ type: "select", index, isWished: false });
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: j and k select by keyboard, through the host's keybindings
    <div
      ref={ref}
      role="listitem"
      class={`action ${agentClass(agents, mark.agent)}${isSelected ? " isSelected" : ""}`}
      data-index={index}
      tabIndex={-1}
      aria-setsize={state.marks.length}
      aria-posinset={index + 1}
      aria-current={isSelected ? "true" : undefined}
      aria-label={`Action ${index + 1} of ${state.marks.length}, ${agentTitle(mark.agent)}`}
      onClick={select}
    >
      <Header {...props} />
      {body === null ? <Waiting room={room} /> : <Body {...props} body={body} isSelected={isSelected} />}
    </div>
  );
}

function Header({ mark, body, state }: Props) {
  const action = body?.action;
  const override = body === null ? null : effectiveScore(body.scores).override;
  const queued = state.queued.find((item) => item.actionId === mark.actionId);
  return (
    <header class="actionHead">
      <span class="agentName" title={mark.agent}>
        {agentTitle(mark.agent)}
      </span>
      <span class="quiet turn">turn {mark.turn + 1}</span>
      {action?.policyVersion && (
        <span class="quiet policy" title={action.policyVersion}>
          {versionText(action.policyVersion)}
        </span>
      )}
      {action && <Flags action={action} />}
      <span class="grow" />
      {queued?.state === "queued" && (
        <span class="quiet flag" title="Kept on this machine until the bridge is back">
          <Icon name="cloud-upload" /> waiting
        </span>
      )}
      <ScoreChip
        facts={{
          coach: mark.coach,
          override: queued?.value ?? mark.override,
          author: queued?.author ?? override?.author ?? null,
          isCovered: isCovered(state, mark) && queued === undefined,
        }}
      />
    </header>
  );
}

function Flags({ action }: { action: Action }) {
  const facts = [
    action.outputTokenCount === null ? null : pluralText(action.outputTokenCount, "token"),
    action.durationMs === null ? null : durationText(action.durationMs),
  ].filter((fact) => fact !== null);
  return (
    <>
      {facts.length > 0 && <span class="quiet facts wideOnly">{facts.join(" · ")}</span>}
      {(action.isTruncated || action.finishReason === "length") && (
        <span
          class="flag isWarning"
          title="The text was cut off at the token limit; the action is left out of training."
        >
          <Icon name="warning" /> cut off
        </span>
      )}
      {action.finishReason === "abort" && (
        <span class="flag isWarning">
          <Icon name="circle-slash" /> aborted
        </span>
      )}
    </>
  );
}

/** A skeleton that shows itself only after 150 ms, in the room the body is expected to take. */
function Waiting({ room }: { room: number }) {
  const box = (element: HTMLDivElement | null) => {
    if (element !== null) element.style.height = `${Math.max(24, room - 44)}px`;
  };
  return (
    <div class="skeleton" ref={box} aria-hidden="true">
      <div />
      <div />
      <div />
    </div>
  );
}

function Body({ body, isSelected, ...props }: Props & { readonly body: ActionView; readonly isSelected: boolean }) {
  const { state, page, mark } = props;
  const { action, scores, cut } = body;
  const isOpen = (part: string) => state.open.has(`${action.id}/${part}`);
  const toggle = (part: string) => page.send({ type: "toggle", key: `${action.id}/${part}` });
  const lit = litEvidence(state, body);
  const thinkingLines = lit?.source === "thinking" ? evidenceLines(lit, action.thinking ?? "") : null;
  const textLines = lit?.source === "text" ? evidenceLines(lit, action.text) : null;
  const isLong = action.text.length > WHOLE_TEXT && !isOpen("text") && textLines === null;
  const text = isLong ? action.text.slice(0, Math.max(200, action.text.lastIndexOf("\n", FOLDED_TEXT))) : action.text;
  const parts = actionParts(text, action.toolCalls);
  return (
    <div class="actionBody">
      {(action.thinking !== null || action.observation.length > 0) && (
        <div class="folds">
          {action.observation.length > 0 && (
            <Fold isOpen={isOpen("observation")} onToggle={() => toggle("observation")}>
              What it saw <span>· {pluralText(action.observation.length, "message")}</span>
            </Fold>
          )}
          {action.thinking !== null && (
            <Fold isOpen={isOpen("thinking")} onToggle={() => toggle("thinking")}>
              Thinking <span>· {pluralText(cut["thinking"] ?? action.thinking.length, "character")}</span>
            </Fold>
          )}
        </div>
      )}
      {(isOpen("observation") || lit?.source === "observation") && (
        <Observation body={body} lit={lit?.source === "observation" ? lit : null} page={page} />
      )}
      {action.thinking !== null && (isOpen("thinking") || thinkingLines !== null) && (
        <div class="thinking">
          <RichText source={action.thinking} litFrom={thinkingLines?.from ?? 0} litTo={thinkingLines?.to ?? 0} />
          {cut["thinking"] !== undefined && (
            <OpenFull page={page} actionId={action.id} field="thinking" total={cut["thinking"]} />
          )}
        </div>
      )}
      {parts.map((part) => {
        if (part.kind === "text") {
          const from = textLines === null ? 0 : Math.max(0, textLines.from - part.firstLine + 1);
          const to = textLines === null ? 0 : Math.max(0, textLines.to - part.firstLine + 1);
          return <RichText key={`text${part.firstLine}`} source={part.source} litFrom={from} litTo={to} />;
        }
        const call = action.toolCalls[part.place];
        if (call === undefined) return null;
        return (
          <ToolCell key={call.id} call={call} place={part.place} body={body} state={state} page={page} lit={lit} />
        );
      })}
      {text === "" && action.toolCalls.length === 0 && <p class="quiet">This action wrote nothing.</p>}
      {isLong && (
        <button type="button" class="foldLine" onClick={() => toggle("text")}>
          <Icon name="unfold" /> Show all {countText(action.text.length)} characters
        </button>
      )}
      {cut["text"] !== undefined && <OpenFull page={page} actionId={action.id} field="text" total={cut["text"]} />}
      <Reasons body={body} mark={mark} state={state} page={page} />
      {isSelected && <ScoreControl body={body} mark={mark} state={state} page={page} scores={scores} />}
    </div>
  );
}

/** The evidence that is lit in this action, if any is. */
function litEvidence(state: State, body: ActionView): Evidence | null {
  const { lit } = state;
  if (lit === null || lit.actionId !== body.action.id) return null;
  return body.scores.find((score) => score.id === lit.scoreId)?.evidence[lit.evidence] ?? null;
}

function Fold(props: { isOpen: boolean; onToggle: () => void; children: preact.ComponentChildren }) {
  return (
    <button type="button" class="fold" aria-expanded={props.isOpen} onClick={props.onToggle}>
      <Icon name={props.isOpen ? "chevron-down" : "chevron-right"} />
      {props.children}
    </button>
  );
}

function OpenFull(props: { page: Page; actionId: string; field: string; total: number }) {
  return (
    <button type="button" class="foldLine" onClick={() => props.page.openField(props.actionId, props.field)}>
      <Icon name="go-to-file" /> Open all {countText(props.total)} characters in an editor
    </button>
  );
}
