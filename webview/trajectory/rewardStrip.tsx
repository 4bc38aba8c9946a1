// The reward strip: a lane per agent, a mark per action (coach, person, difference), and where in it the reader is.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Trajectory } from "../../src/protocol/model.ts";
import { agentClass, agentVariable } from "../agentColor.ts";
import { chipOf } from "../scoreText.ts";
import type { Page } from "./deeds.ts";
import { isCovered, type State } from "./state.ts";
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
    const draw = () =>
      drawStrip(element, {
        bars,
        lanes,
        laneHeight,
        width,
        count: marks.length,
        selected,
        hovered,
        view: viewport.value,
      });
    draw();
    return viewport.listen(() => requestAnimationFrame(draw));
  }, [width, theme, marks, selected, hovered, state.uncovered, state.blindFirst, trajectory.agents]);

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
    return `Action ${mark.index + 1} of ${marks.length}, ${mark.agent}: ${chip.label}`;
  };
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
            <span class="laneText">{agent}</span>
          </div>
        ))}
      </div>
      <canvas
        ref={(element) => {
          canvas.current = element;
          if (element !== null) element.style.height = `${height}px`;
        }}
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
        onMouseMove={(event) =>
          setHovered(event.offsetX <= pitchOf(marks.length, width) * marks.length ? indexOf(event) : null)
        }
        onMouseLeave={() => setHovered(null)}
        onKeyDown={onKey}
      />
    </div>
  );
}

interface Drawing {
  readonly bars: ReturnType<typeof stripBars>;
  readonly lanes: readonly string[];
  readonly laneHeight: number;
  readonly width: number;
  readonly count: number;
  readonly selected: number | null;
  readonly hovered: number | null;
  readonly view: { readonly first: number; readonly last: number };
}

function drawStrip(element: HTMLCanvasElement, drawing: Drawing): void {
  const { bars, lanes, laneHeight, width, count, selected, hovered, view } = drawing;
  const height = lanes.length * laneHeight;
  const scale = window.devicePixelRatio || 1;
  element.width = Math.round(width * scale);
  element.height = Math.round(height * scale);
  const context = element.getContext("2d");
  if (context === null) return;
  const styles = getComputedStyle(element);
  const color = (name: string) => styles.getPropertyValue(name).trim() || styles.color;
  context.scale(scale, scale);
  const pitch = pitchOf(count, width);
  const foreground = color("--vscode-foreground");
  const quiet = color("--vscode-descriptionForeground");

  context.fillStyle = color("--vscode-scrollbarSlider-background");
  context.globalAlpha = 0.5;
  context.fillRect(view.first * pitch - 0.5, 0, Math.max(2, (view.last - view.first + 1) * pitch), height);
  context.globalAlpha = 1;
  context.fillStyle = color("--touchline-line");
  for (let lane = 1; lane < lanes.length; lane++) context.fillRect(0, lane * laneHeight - 0.5, width, 0.5);

  const room = laneHeight - 6;
  for (const bar of bars) {
    const base = (bar.lane + 1) * laneHeight - 3;
    const y = (value: number) => base - Math.max(1.5, (value / 10) * room);
    const agent = lanes[bar.lane] ?? "";
    context.fillStyle = color(agentVariable(lanes, agent));
    const barWidth = Math.min(bar.width, 8);
    if (bar.coach !== null) {
      context.globalAlpha = bar.override === null ? 1 : 0.45;
      context.fillRect(bar.x, y(bar.coach), barWidth, base - y(bar.coach));
      context.globalAlpha = 1;
    } else if (bar.override === null) {
      context.fillStyle = quiet;
      if (bar.isMissing) context.fillRect(bar.x, base - 1, barWidth, 1);
      else context.fillRect(bar.x, base - room / 2, barWidth, room / 2);
    }
    if (bar.override !== null) {
      context.fillStyle = foreground;
      const top = y(bar.override);
      context.fillRect(bar.x - 0.5, top - 1, Math.max(3, barWidth + 1), 2);
      if (bar.coach !== null && bar.scoredCount === 1)
        context.fillRect(bar.x + barWidth / 2 - 0.5, Math.min(top, y(bar.coach)), 1, Math.abs(top - y(bar.coach)));
    }
  }
  const outline = (index: number, name: string) => {
    context.strokeStyle = color(name);
    context.lineWidth = 1;
    context.strokeRect(index * pitch - 1.5, 0.5, Math.max(3, Math.min(pitch, 9)) + 2, height - 1);
  };
  if (hovered !== null) outline(hovered, "--vscode-descriptionForeground");
  if (selected !== null) outline(selected, "--vscode-focusBorder");
}
