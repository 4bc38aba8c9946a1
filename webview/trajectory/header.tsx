// The head of the page: the task, how it ended, the way to its neighbours, and the reward strip.
import type { Trajectory } from "../../src/protocol/model.ts";
import { RichText } from "../content/richText.tsx";
import { Icon } from "../icon.tsx";
import { countText, pluralText } from "../quantity.ts";
import { scoreNumber } from "../scoreText.ts";
import { Button } from "../toolkit.tsx";
import type { Page } from "./deeds.ts";
import { outcomeText } from "./outcome.ts";
import { RewardStrip } from "./rewardStrip.tsx";
import type { State } from "./state.ts";
import type { ViewportSignal } from "./viewport.ts";

/** Draws the head of the shown trajectory. */
export function Header(props: { trajectory: Trajectory; state: State; page: Page; viewport: ViewportSignal }) {
  const { trajectory, state, page, viewport } = props;
  const outcome = outcomeText(trajectory);
  const { isProblemOpen } = state;
  const facts = [
    pluralText(state.marks.length, "action"),
    trajectory.meanScore === null ? null : `mean ${scoreNumber(trajectory.meanScore)}`,
    trajectory.missingScoreCount === 0 ? null : `${countText(trajectory.missingScoreCount)} without a score`,
    trajectory.overrideCount === 0 ? null : pluralText(trajectory.overrideCount, "override"),
    trajectory.purpose === "evaluation" ? "held out: not trained on" : null,
  ].filter((fact) => fact !== null);
  return (
    <header class="pageHead">
      <div class="titleLine">
        <h1 title={trajectory.title}>{trajectory.title}</h1>
        <span class={`outcome is-${outcome.tone}`} title={trajectory.outcome.message ?? outcome.text}>
          <Icon name={outcome.icon} spins={outcome.icon === "loading"} /> {outcome.text}
        </span>
        <span class="neighbours">
          <Button appearance="icon" label="Previous trajectory" onClick={() => page.go("previous")}>
            <Icon name="arrow-up" />
          </Button>
          <Button appearance="icon" label="Next trajectory" onClick={() => page.go("next")}>
            <Icon name="arrow-down" />
          </Button>
          <Button appearance="icon" label="Keyboard help" onClick={() => page.send({ type: "help", isOpen: true })}>
            <Icon name="keyboard" />
          </Button>
        </span>
      </div>
      <div class="factLine">
        <button type="button" class="fold" aria-expanded={isProblemOpen} onClick={() => page.send({ type: "problem" })}>
          <Icon name={isProblemOpen ? "chevron-down" : "chevron-right"} /> Task
        </button>
        <span class="quiet facts">{facts.join(" · ")}</span>
      </div>
      {isProblemOpen && <Problem trajectory={trajectory} />}
      {trajectory.outcome.message !== null && trajectory.outcome.kind === "failed" && (
        <p class="outcomeMessage">{trajectory.outcome.message}</p>
      )}
      <RewardStrip trajectory={trajectory} state={state} page={page} viewport={viewport} />
    </header>
  );
}

function Problem({ trajectory }: { trajectory: Trajectory }) {
  const { task, outcome } = trajectory;
  return (
    <div class="problem">
      <RichText source={task.problem.slice(0, 20_000)} />
      <dl class="answers">
        {task.answer !== null && (
          <>
            <dt>Expected</dt>
            <dd>{task.answer}</dd>
          </>
        )}
        <dt>Answered</dt>
        <dd>{outcome.answer ?? "nothing that could be read"}</dd>
        <dt>Set</dt>
        <dd>
          {task.setName} <span class="quiet">{task.id}</span>
        </dd>
      </dl>
    </div>
  );
}
