// Every iteration of the run in a row: what it is, what it changed, what it took.
import type { Iteration } from "../../src/protocol/model.ts";
import { Icon } from "../icon.tsx";
import { countText, durationText, percentText } from "../quantity.ts";
import { iterationText } from "./state.ts";

const icons: Readonly<Record<Iteration["state"], string>> = {
  queued: "clock",
  sampling: "loading",
  coaching: "loading",
  reviewing: "eye",
  training: "loading",
  evaluating: "loading",
  done: "pass",
  paused: "debug-pause",
  cancelled: "circle-slash",
  failed: "error",
};

/** Draws the table, newest first. */
export function IterationTable(props: {
  iterations: readonly Iteration[];
  pointed: number | null;
  onPoint: (index: number | null) => void;
  onOpen: (iteration: Iteration) => void;
}) {
  const { iterations, pointed, onPoint, onOpen } = props;
  return (
    <div class="tableBox">
      <table class="iterations">
        <caption class="onlyRead">Iterations of this run, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Iteration</th>
            <th scope="col">State</th>
            <th scope="col" class="isNumber">
              Held-out before
            </th>
            <th scope="col" class="isNumber">
              after
            </th>
            <th scope="col" class="isNumber">
              Batch
            </th>
            <th scope="col" class="isNumber">
              Overrides
            </th>
            <th scope="col" class="isNumber">
              No score
            </th>
            <th scope="col" class="isNumber">
              Time
            </th>
          </tr>
        </thead>
        <tbody>
          {iterations.toReversed().map((iteration) => {
            const { evaluationBefore: before, evaluationAfter: after } = iteration;
            const sum = (field: "overrideCount" | "missingScoreCount") =>
              iteration.agents.reduce((total, agent) => total + agent[field], 0);
            const milliseconds = Object.values(iteration.timings).reduce((total, time) => total + time, 0);
            const hasMeasured = iteration.agents.length > 0;
            return (
              <tr
                key={iteration.id}
                class={pointed === iteration.index ? "isPointed" : ""}
                onMouseEnter={() => onPoint(iteration.index)}
                onMouseLeave={() => onPoint(null)}
              >
                <th scope="row">
                  <button
                    type="button"
                    class="linkButton"
                    title="Show its trajectories"
                    onClick={() => onOpen(iteration)}
                  >
                    {iteration.index}
                  </button>
                </th>
                <td class={`iterationState is-${iteration.state}`} title={iteration.message ?? ""}>
                  <Icon name={icons[iteration.state]} spins={icons[iteration.state] === "loading"} />{" "}
                  {iterationText(iteration)}
                </td>
                <td class="isNumber">{percentText(before?.rate ?? null)}</td>
                <td class="isNumber">{percentText(after?.rate ?? null)}</td>
                <td class="isNumber">{percentText(iteration.batch?.rate ?? null)}</td>
                <td class="isNumber">{hasMeasured ? countText(sum("overrideCount")) : "–"}</td>
                <td class="isNumber">{hasMeasured ? countText(sum("missingScoreCount")) : "–"}</td>
                <td class="isNumber">{milliseconds === 0 ? "–" : durationText(milliseconds)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
