// The Training page as a function of its state: run, control, curves, iterations.
import type { Iteration, Run } from "../../src/protocol/model.ts";
import { agentTitle } from "../../src/protocol/title.ts";
import { agentClass } from "../agentColor.ts";
import { ConnectionBanner } from "../banner.tsx";
import { Icon } from "../icon.tsx";
import { countText, pluralText } from "../quantity.ts";
import { Button, Dropdown, ProgressRing } from "../toolkit.tsx";
import { Chart } from "./chart.tsx";
import { type ChartFacts, healthCharts, rewardChart, successChart } from "./curves.ts";
import { IterationTable } from "./iterationTable.tsx";
import { activeIteration, iterationText, type State } from "./state.ts";

/** What a view of this page may do. */
export interface Deeds {
  load(): void;
  choose(runId: string): void;
  run(command: string): void;
  show(iterationId: string): void;
  point(index: number | null): void;
  dismiss(): void;
}

/** Draws the page. */
export function App({ state, deeds }: { state: State; deeds: Deeds }) {
  return (
    <>
      <ConnectionBanner connection={state.connection} run={deeds.run} />
      {state.notice !== null && (
        <div class="banner isError" role="alert">
          <Icon name="error" />
          <span class="bannerText">{state.notice}</span>
          <button type="button" class="button" onClick={deeds.dismiss}>
            Dismiss
          </button>
        </div>
      )}
      <Main state={state} deeds={deeds} />
    </>
  );
}

function Main({ state, deeds }: { state: State; deeds: Deeds }) {
  if (state.phase === "failed") {
    return (
      <div class="emptyPlace">
        <Icon name="error" />
        <h2>The runs could not be loaded</h2>
        <p>{state.error} Nothing is lost: they are stored with the bridge.</p>
        <Button appearance="primary" onClick={deeds.load}>
          Try Again
        </Button>
      </div>
    );
  }
  if (state.phase === "loading") {
    return (
      <div class="emptyPlace lateRing">
        <ProgressRing label="Loading the runs" />
      </div>
    );
  }
  const runs = state.runs.filter((run) => run.kind === "training");
  const run = runs.find((item) => item.id === state.runId);
  if (run === undefined) {
    if (state.connection.state !== "connected") {
      return (
        <div class="emptyPlace">
          <Icon name="debug-disconnect" />
          <h2>No trainer</h2>
          <p>The curves of a run appear here once a trainer is connected. What it has stored stays where it is.</p>
        </div>
      );
    }
    return (
      <div class="emptyPlace">
        <Icon name="graph-line" />
        <h2>No training run yet</h2>
        <p>
          An iteration rolls out the team, lets the coach score every action, takes your overrides into account and
          updates the policies.
        </p>
        <Button appearance="primary" onClick={() => deeds.run("startIteration")}>
          Start the First Iteration
        </Button>
      </div>
    );
  }
  return (
    <div class="page">
      <Head run={run} runs={runs} state={state} deeds={deeds} />
      {state.iterations.length === 0 ? (
        <div class="emptyPlace">
          <Icon name="graph-line" />
          <h2>No iteration yet</h2>
          <p>Start one above; its curves grow here while it runs.</p>
        </div>
      ) : (
        <Curves run={run} state={state} deeds={deeds} />
      )}
    </div>
  );
}

function Head({ run, runs, state, deeds }: { run: Run; runs: readonly Run[]; state: State; deeds: Deeds }) {
  const active = activeIteration(state);
  const elsewhere = state.status?.activeIteration;
  const isBusyElsewhere = active === null && elsewhere != null && elsewhere.runId !== run.id;
  return (
    <header class="trainingHead">
      <div class="runLine">
        <Dropdown
          label="Run"
          value={run.id}
          options={runs.map((item) => ({ value: item.id, text: item.name }))}
          onChange={deeds.choose}
        />
        <span class="quiet runFacts">
          {run.workflow} · {pluralText(run.trajectoryCount, "trajectory").replace("trajectorys", "trajectories")} ·{" "}
          {pluralText(run.actionCount, "action")}
        </span>
        <span class="grow" />
        <Controls active={active} isBusyElsewhere={isBusyElsewhere} state={state} deeds={deeds} />
      </div>
      {active !== null && <Progress iteration={active} />}
      {active === null && <LastFailure state={state} deeds={deeds} />}
      {isBusyElsewhere && <p class="quiet">Another run is training. One trains at a time.</p>}
    </header>
  );
}

function Controls(props: { active: Iteration | null; isBusyElsewhere: boolean; state: State; deeds: Deeds }) {
  const { active, isBusyElsewhere, state, deeds } = props;
  const { connection } = state;
  const isOff = connection.state !== "connected" || !connection.canOverride;
  const why =
    connection.state !== "connected"
      ? "The bridge is away"
      : connection.canOverride
        ? undefined
        : "Waits until this workspace is trusted";
  const button = (command: string, icon: string, text: string, isPrimary: boolean, isDisabled = isOff) => (
    <Button
      key={command}
      icon={icon}
      appearance={isPrimary ? "primary" : "secondary"}
      isDisabled={isDisabled}
      {...(why === undefined ? {} : { title: why })}
      onClick={() => deeds.run(command)}
    >
      {text}
    </Button>
  );
  if (active === null)
    return (
      <div class="controls">{button("startIteration", "play", "Start Iteration", true, isOff || isBusyElsewhere)}</div>
    );
  const isPaused = active.state === "paused";
  return (
    <div class="controls">
      {active.state === "reviewing" && button("finishReview", "run-all", "Train Now", true)}
      {isPaused
        ? button("resumeIteration", "debug-continue", "Resume", true)
        : button("pauseIteration", "debug-pause", "Pause", false)}
      {button("cancelIteration", "debug-stop", "Cancel", false)}
    </div>
  );
}

function Progress({ iteration }: { iteration: Iteration }) {
  const { done, total } = iteration.progress;
  const isKnown = total > 0;
  return (
    <div class="progress" role="status">
      <span>
        Iteration {iteration.index} <span class="quiet">·</span> {iterationText(iteration)}
        {isKnown && (
          <span class="quiet">
            {" "}
            {countText(done)} of {countText(total)}
          </span>
        )}
      </span>
      <progress {...(isKnown ? { value: done, max: total } : {})} aria-label={iterationText(iteration)} />
      {iteration.message !== null && <span class="quiet">{iteration.message}</span>}
    </div>
  );
}

function LastFailure({ state, deeds }: { state: State; deeds: Deeds }) {
  const last = state.iterations.at(-1);
  if (last?.state !== "failed") return null;
  return (
    <div class="banner isError" role="alert">
      <Icon name="error" />
      <span class="bannerText">
        Iteration {last.index} failed: {last.message ?? "the reason was not recorded."} Finished rollouts and scores are
        kept.
      </span>
      <button type="button" class="button" onClick={() => deeds.run("resumeIteration")}>
        Go On
      </button>
    </div>
  );
}

function Curves({ run, state, deeds }: { run: Run; state: State; deeds: Deeds }) {
  const { iterations, pointed } = state;
  const classOf = (agent: string) => agentClass(run.agents, agent);
  const success = successChart(iterations);
  const first = success.curves.some((curve) => curve.points.some((point) => point.x === 0)) ? 0 : 1;
  const last = Math.max(first + 1, iterations.at(-1)?.index ?? 1);
  const open = (index: number) => {
    // Before the first iteration there is nothing but its own evaluation.
    const iteration = iterations.find((item) => item.index === Math.max(1, index));
    if (iteration !== undefined) deeds.show(iteration.id);
  };
  const chart = (facts: ChartFacts, height: number, isNamed: boolean) => (
    <Chart
      key={facts.id}
      chart={facts}
      height={height}
      isNamed={isNamed}
      first={first}
      last={last}
      pointed={pointed}
      onPoint={deeds.point}
      onOpen={open}
    />
  );
  return (
    <>
      <div class="mainCharts">
        {chart(success, 240, true)}
        {chart(rewardChart(iterations, run.agents, classOf), 240, true)}
      </div>
      <div class="legend" aria-hidden="true">
        {run.agents.map((agent) => (
          <span key={agent}>
            <span class={`swatch ${classOf(agent)}`} /> {agentTitle(agent)}
          </span>
        ))}
      </div>
      <div class="smallCharts">
        {healthCharts(iterations, run.agents, classOf).map((facts) => chart(facts, 112, false))}
      </div>
      <IterationTable
        iterations={iterations}
        pointed={pointed}
        onPoint={deeds.point}
        onOpen={(iteration) => deeds.show(iteration.id)}
      />
    </>
  );
}
