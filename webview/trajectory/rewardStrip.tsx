// The reward strip: a lane per agent, a mark per action (coach, person, difference), and where in it the reader is.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Trajectory } from "../../src/protocol/model.ts";
import { agentTitle } from "../../src/protocol/title.ts";
import { agentClass } from "../agentColor.ts";
import { chipOf } from "../scoreText.ts";
import type { Page } from "./deeds.ts";
import { isCovered, type State } from "./state.ts";
import { drawMarks } from "./stripDrawing.ts";
import { indexAtPoint, pitchOf, stripBars } from "./stripLayout.ts";
import type { ViewportSignal } from "./viewport.ts";

/** Lanes drawn at most; further agents share the last one. */
const MOST_LANES = 8;

interface Props {
  readonly trajectory: Trajectory;
  readonly state: State;
  readonly page: Page;
  readonly viewport: ViewportSignal;
}

/** Draws the strip on a canvas, so that ten thousand marks cost as little as ten. */
export function RewardStrip({ trajectory, state, page, viewport }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [hovered, setHovered] = useState<number | null>(null);
  const [theme, setTheme] = useState(0);
  const lanes = trajectory.agents.slice(0, MOST_LANES);
  const laneHeight = lanes.length > 4 ? 16 : 22;
  const height = lanes.length * laneHeight;
  const { marks, selected } = state;

  useLayoutEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    // VS Code changes the variables on the root element and the class of the body when the theme changes.
    const themes = new MutationObserver(() => setTheme((count) => count + 1));
    themes.observe(document.body, { attributes: true, attributeFilter: ["class", "data-vscode-theme-id"] });
    themes.observe(document.documentElement, { attributes: true, attributeFilter: ["style"] });
    return () => {
      observer.disconnect();
      themes.disconnect();
    };
  }, []);

  useEffect(() => {
    const element = canvas.current;
    if (element === null || width === 0) return;
    const bars = stripBars(marks, lanes, width, (mark) => isCovered(state, mark));
    drawMarks(element, bars, lanes, laneHeight, width);
  }, [width, theme, marks, state.uncovered, state.blindFirst, trajectory.agents]);

  const pitch = pitchOf(marks.length, width);
  useLayoutEffect(() => {
    const follow = () => {
      const { first, last } = viewport.value;
      if (view.current !== null) stand(view.current, first * pitch, Math.max(2, (last - first + 1) * pitch));
    };
    follow();
    return viewport.listen(follow);
  }, [pitch]);

  const indexOf = (event: MouseEvent) => indexAtPoint(event.offsetX, marks.length, width);
  const go = (index: number) => page.send({ type: "select", index, isWished: true });
  const onKey = (event: KeyboardEvent) => {
    const from = selected ?? 0;
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      ArrowUp: from - 1,
      ArrowDown: from + 1,
      PageUp: from - 10,
      PageDown: from + 10,
      Home: 0,
      End: marks.length - 1,
    };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  const told = (index: number | null): string => {
    const mark = index === null ? undefined : marks[index];
    if (mark === undefined) return "No action selected";
    const chip = chipOf({
      coach: mark.coach,
      override: mark.override,
      author: null,
      isCovered: isCovered(state, mark),
    });
    return `Action ${mark.index + 1} of ${marks.length}, ${agentTitle(mark.agent)}: ${chip.label}`;
  };
  const outline = (index: number) => ({
    left: `${index * pitch - 2}px`,
    width: `${Math.max(3, Math.min(pitch, 9)) + 3}px`,
  });
  const onScreen = hovered ?? selected;
  return (
    <div class="strip">
      <div class="lanes">
        {lanes.map((agent) => (
          <div
            key={agent}
            class={`laneName ${agentClass(trajectory.agents, agent)}${laneHeight === 16 ? " isLow" : ""}`}
            title={agent}
          >
            <span class="laneRail" />
            <span class="laneText">{agentTitle(agent)}</span>
          </div>
        ))}
      </div>
      <div
        class="stripMarks"
        tabIndex={0}
        role="slider"
        aria-label="Actions and their scores"
        aria-valuemin={1}
        aria-valuemax={Math.max(1, marks.length)}
        aria-valuenow={(selected ?? 0) + 1}
        aria-valuetext={told(selected)}
        title={onScreen === null ? "" : told(onScreen)}
        onClick={(event) => go(indexOf(event))}
        onMouseMove={(event) => setHovered(event.offsetX <= pitch * marks.length ? indexOf(event) : null)}
        onMouseLeave={() => setHovered(null)}
        onKeyDown={onKey}
      >
        <div ref={view} class="stripView" />
        <canvas
          ref={(element) => {
            canvas.current = element;
            if (element !== null) element.style.height = `${height}px`;
          }}
        />
        {hovered !== null && <div class="stripHovered" style={outline(hovered)} />}
        {selected !== null && <div class="stripSelected" style={outline(selected)} />}
      </div>
    </div>
  );
}

function stand(element: HTMLElement, left: number, width: number): void {
  element.style.left = `${left}px`;
  element.style.width = `${width}px`;
}
