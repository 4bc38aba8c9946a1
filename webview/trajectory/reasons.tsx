// The reasons under an action: the coach's and the person's, with links to the lines they rest on.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ActionMark, ActionView } from "../../src/protocol/bridge.ts";
import { effectiveScore } from "../../src/protocol/effective.ts";
import type { OverrideFate, Score } from "../../src/protocol/model.ts";
import { Icon } from "../icon.tsx";
import { momentText, pluralText } from "../quantity.ts";
import { scoreNumber } from "../scoreText.ts";
import type { Page } from "./deeds.ts";
import { evidenceText } from "./evidence.ts";
import { isCovered, type State } from "./state.ts";

interface Props {
  readonly body: ActionView;
  readonly mark: ActionMark;
  readonly state: State;
  readonly page: Page;
}

/** Draws the reasons in effect, what became of an override, and on demand the whole history. */
export function Reasons({ body, mark, state, page }: Props) {
  const { action, scores } = body;
  if (isCovered(state, mark)) {
    if (scores.length === 0) return null;
    return (
      <div class="reasons quiet">
        <Icon name="eye-closed" /> The coach's score is covered until you commit yours.{" "}
        <button
          type="button"
          class="linkButton"
          onClick={() => page.send({ type: "draftEnded", actionId: action.id, isCommitted: true })}
        >
          Show it now
        </button>
      </div>
    );
  }
  const { coach, override } = effectiveScore(scores);
  const coachScores = scores.filter((score) => score.kind === "score");
  const other = coachScores.filter((score) => score.phase !== coach?.phase && score.value !== null).at(-1);
  const missing = coach === null ? coachScores.at(-1) : undefined;
  const fate = override === null ? undefined : state.fates.find((item) => item.scoreId === override.id);
  const historyKey = `${action.id}/history`;
  const isHistoryOpen = state.open.has(historyKey);
  if (scores.length === 0) return null;
  return (
    <div class="reasons">
      {override !== null && <Reason score={override} state={state} page={page} />}
      {override !== null && fate !== undefined && <Fate fate={fate} />}
      {coach !== null && <Reason score={coach} state={state} page={page} />}
      {other !== undefined && other !== coach && <Reason score={other} state={state} page={page} />}
      {missing !== undefined && (
        <div class="reason">
          <span class="reasonWho">
            {missing.author} <span class="reasonValue">–</span>
          </span>{" "}
          <span class="quiet">
            no score: {missing.missingReason ?? "the reason was not recorded"}. This action is left out of training.
          </span>
        </div>
      )}
      {scores.length > 1 && (
        <button
          type="button"
          class="fold quiet"
          aria-expanded={isHistoryOpen}
          onClick={() => page.send({ type: "toggle", key: historyKey })}
        >
          <Icon name={isHistoryOpen ? "chevron-down" : "chevron-right"} /> History{" "}
          <span>· {pluralText(scores.length, "record")}</span>
        </button>
      )}
      {isHistoryOpen && <History scores={scores} />}
    </div>
  );
}

function Reason({ score, state, page }: { score: Score; state: State; page: Page }) {
  const key = `${score.actionId}/reason/${score.id}`;
  const isOpen = state.open.has(key);
  const text = useRef<HTMLDivElement>(null);
  const [isClipped, setClipped] = useState(false);
  useLayoutEffect(() => {
    const element = text.current;
    if (element === null || isOpen) return;
    // An observer is told after the layout is done anyway; asking here would force one for every reason.
    const observer = new ResizeObserver(() => setClipped(element.scrollHeight > element.clientHeight + 1));
    observer.observe(element);
    return () => observer.disconnect();
  }, [score.rationale, isOpen]);
  const isPerson = score.kind === "override";
  return (
    <div class={isPerson ? "reason isPerson" : "reason"}>
      <div ref={text} class={!isOpen ? "reasonText isFolded" : "reasonText"}>
        <span class="reasonWho">
          <Icon name={isPerson ? "account" : score.source === "rule" ? "law" : "comment-discussion"} /> {score.author}
          {score.phase === "hindsight" && !isPerson && " in hindsight"}{" "}
          <span class="reasonValue">{scoreNumber(score.value)}</span>
        </span>{" "}
        {score.rationale === "" ? <span class="quiet">gave no reason</span> : score.rationale}
      </div>
      <div class="reasonLinks">
        {score.evidence.map((evidence, place) => {
          const isLit = state.lit?.scoreId === score.id && state.lit.evidence === place;
          return (
            <button
              key={place}
              type="button"
              class="linkButton"
              aria-pressed={isLit}
              title={evidence.quote}
              onClick={() =>
                page.send({
                  type: "light",
                  lit: isLit ? null : { actionId: score.actionId, scoreId: score.id, evidence: place },
                })
              }
            >
              {evidenceText(evidence)}
            </button>
          );
        })}
        {score.tags.map((tag) => (
          <span key={tag} class="tag">
            {tag}
          </span>
        ))}
        {(isClipped || isOpen) && (
          <button
            type="button"
            class="linkButton"
            aria-expanded={isOpen}
            onClick={() => page.send({ type: "toggle", key })}
          >
            {isOpen ? "Less" : "More"}
          </button>
        )}
      </div>
    </div>
  );
}

const fateIcons: Readonly<Record<OverrideFate["state"], string>> = {
  queued: "clock",
  used: "pass",
  superseded: "replace",
  tooLate: "warning",
  evaluationOnly: "info",
};

function fateText(fate: OverrideFate): string {
  const iteration = fate.iterationIndex === null ? "" : ` ${fate.iterationIndex}`;
  if (fate.state === "queued") return "Waits for the next training step";
  if (fate.state === "used") return `Used in iteration${iteration}`;
  if (fate.state === "superseded") return "Superseded by a later score";
  if (fate.state === "tooLate") return "Too late: the policy has moved on";
  return "Kept, not trained on: this is an evaluation";
}

function Fate({ fate }: { fate: OverrideFate }) {
  return (
    <div class={`fate is-${fate.state}`} title={fate.message}>
      <Icon name={fateIcons[fate.state]} /> {fateText(fate)}
      {fate.checkpointSha256 !== null && (
        <span class="quiet">
          {" "}
          → {fate.policyVersion} <span class="hash">{fate.checkpointSha256.slice(0, 8)}</span>
        </span>
      )}
    </div>
  );
}

function History({ scores }: { scores: readonly Score[] }) {
  return (
    <ol class="history">
      {scores.toReversed().map((score) => (
        <li key={score.id}>
          <span class="reasonValue">{score.kind === "undo" ? "undo" : scoreNumber(score.value)}</span> {score.author}
          <span class="quiet">
            {" "}
            {score.kind === "score" ? score.phase : score.kind} · {momentText(score.at)}
          </span>
          {score.rationale !== "" && <div class="historyWhy">{score.rationale}</div>}
        </li>
      ))}
    </ol>
  );
}
