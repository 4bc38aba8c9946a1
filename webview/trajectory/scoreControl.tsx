// The score control of the selected action: a value from 0 to 10, what it would do, why, and the way back.
import type { ActionMark, ActionView } from "../../src/protocol/bridge.ts";
import { effectiveScore } from "../../src/protocol/effective.ts";
import type { Score } from "../../src/protocol/model.ts";
import type { QueuedOverride } from "../../src/protocol/webview.ts";
import { Icon } from "../icon.tsx";
import { pluralText } from "../quantity.ts";
import { consequenceText, scoreNumber } from "../scoreText.ts";
import type { Page } from "./deeds.ts";
import { type Draft, isCovered, type State } from "./state.ts";

const VALUES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

interface Props {
  readonly body: ActionView;
  readonly mark: ActionMark;
  readonly scores: readonly Score[];
  readonly state: State;
  readonly page: Page;
}

/** Draws the control. It stays in view at the lower edge as long as its action does. */
export function ScoreControl({ body, mark, scores, state, page }: Props) {
  const actionId = body.action.id;
  const draft = state.drafts.get(actionId);
  const queued = state.queued.find((item) => item.actionId === actionId);
  if (queued?.state === "conflict") return <QueueConflict queued={queued} page={page} />;
  const { coach, override } = effectiveScore(scores);
  const covered = isCovered(state, mark);
  const value = draft?.value ?? queued?.value ?? override?.value ?? null;
  const isOff = !state.connection.canOverride;
  const isOffline = state.connection.state !== "connected";
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") page.send({ type: "draftEnded", actionId, isCommitted: false });
    else if (
      event.key === "Enter" &&
      !event.shiftKey &&
      draft?.value != null &&
      !(event.target instanceof HTMLButtonElement)
    )
      void page.save(actionId);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="scoreControl" role="group" aria-label="Your score" onKeyDown={onKey}>
      <div class="controlTop">
        <fieldset class="scale" disabled={isOff}>
          <legend class="onlyRead">Score from 0 to 10</legend>
          {VALUES.map((step) => {
            const isCoach = !covered && coach?.value != null && Math.round(coach.value) === step;
            return (
              <label
                key={step}
                class={`step${value === step ? " isChosen" : ""}${isCoach ? " isCoach" : ""}`}
                title={isCoach ? `${step}, the coach's ${scoreNumber(coach?.value ?? null)}` : String(step)}
              >
                <input
                  type="radio"
                  name={`score-${actionId}`}
                  value={step}
                  checked={value === step}
                  onChange={() => page.edit(actionId, { value: step })}
                />
                <span>{step}</span>
              </label>
            );
          })}
        </fieldset>
        {!isOff && draft?.value == null && draft?.conflict == null && (
          <>
            {coach?.value != null && !covered && override === null && queued === undefined && (
              <button type="button" class="button" onClick={() => void page.acceptCoach(actionId)}>
                <Icon name="check" /> Accept {scoreNumber(coach.value)}
              </button>
            )}
            {override !== null && (
              <button type="button" class="button" disabled={isOffline} onClick={() => void page.undo(actionId)}>
                <Icon name="discard" /> Undo override
              </button>
            )}
          </>
        )}
      </div>
      {isOff && (
        <Note
          icon="lock"
          text={state.connection.message || "Overrides wait until this workspace is trusted. Reading works."}
        />
      )}
      {draft?.value != null && !isOff && (
        <>
          <ConsequenceLine draft={draft} isOffline={isOffline} />
          <textarea
            class="reasonInput"
            rows={1}
            maxLength={10_000}
            placeholder="Why? (optional)"
            aria-label="Reason for your score"
            value={draft.rationale}
            onInput={(event) => page.edit(actionId, { rationale: event.currentTarget.value })}
          />
        </>
      )}
      {draft?.conflict != null && (
        <DraftConflict draft={draft} conflict={draft.conflict} actionId={actionId} page={page} />
      )}
      {draft?.error != null && (
        <Note icon="error" text={`Not saved: ${draft.error} Your score is still here; try again.`} />
      )}
      {!isOff && draft?.conflict == null && draft?.value != null && (
        <div class="controlButtons">
          <button
            type="button"
            class="button isPrimary"
            disabled={draft.isSaving}
            onClick={() => void page.save(actionId)}
          >
            {draft.isSaving ? "Saving…" : `Save ${draft.value}`}
          </button>
          <button
            type="button"
            class="button"
            onClick={() => page.send({ type: "draftEnded", actionId, isCommitted: false })}
          >
            Cancel
          </button>
        </div>
      )}
      {isOffline && !isOff && (
        <Note
          icon="cloud-upload"
          text="The bridge is away. Scores are kept on this machine and sent when it is back."
        />
      )}
    </div>
  );
}

function Note({ icon, text }: { icon: string; text: string }) {
  return (
    <p class="controlNote">
      <Icon name={icon} /> {text}
    </p>
  );
}

function ConsequenceLine({ draft, isOffline }: { draft: Draft; isOffline: boolean }) {
  const { preview } = draft;
  if (preview === null)
    return (
      <p class="consequence quiet">{isOffline ? "What it would change is known when the bridge is back" : "\u00a0"}</p>
    );
  if (preview.after === null) return <p class="consequence quiet">{preview.message}</p>;
  const { text, isFlip } = consequenceText(preview.before, preview.after);
  return (
    <p class="consequence" aria-live="polite" title={preview.message}>
      {text}
      {isFlip && (
        <span class="flip">
          <Icon name="arrow-swap" /> sign turns
        </span>
      )}
      <span class="quiet"> in a batch of {pluralText(preview.batchSize, "action")}</span>
    </p>
  );
}

function TwoScores(props: {
  mine: number;
  myReason: string;
  theirs: Score | null;
  onMine: () => void;
  onTheirs: () => void;
}) {
  const { mine, myReason, theirs, onMine, onTheirs } = props;
  return (
    <div class="conflict" role="alert">
      <p>
        <Icon name="warning" /> Another score came first. Nothing is lost: choose which counts.
      </p>
      <dl>
        <dt>Yours</dt>
        <dd>
          <b>{scoreNumber(mine)}</b> {myReason}
        </dd>
        <dt>{theirs === null ? "In effect" : theirs.author}</dt>
        <dd>
          <b>{scoreNumber(theirs?.value ?? null)}</b> {theirs?.rationale ?? "no score"}
        </dd>
      </dl>
      <div class="controlButtons">
        <button type="button" class="button isPrimary" onClick={onMine}>
          Keep mine, {scoreNumber(mine)}
        </button>
        <button type="button" class="button" onClick={onTheirs}>
          Take theirs, {scoreNumber(theirs?.value ?? null)}
        </button>
      </div>
    </div>
  );
}

function QueueConflict({ queued, page }: { queued: QueuedOverride; page: Page }) {
  return (
    <div class="scoreControl" role="group" aria-label="Conflicting scores">
      <TwoScores
        mine={queued.value}
        myReason={queued.rationale}
        theirs={queued.current}
        onMine={() => void page.resolve(queued.requestId, "mine")}
        onTheirs={() => void page.resolve(queued.requestId, "theirs")}
      />
    </div>
  );
}

function DraftConflict(props: { draft: Draft; conflict: Score; actionId: string; page: Page }) {
  const { draft, conflict, actionId, page } = props;
  const takeTheirs = () => {
    page.send({ type: "scored", score: conflict });
    page.send({ type: "draftEnded", actionId, isCommitted: true });
  };
  return (
    <TwoScores
      mine={draft.value ?? 0}
      myReason={draft.rationale}
      theirs={conflict}
      onMine={() => void page.save(actionId)}
      onTheirs={takeTheirs}
    />
  );
}
