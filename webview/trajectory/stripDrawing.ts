// Paints the marks of the reward strip on a canvas, so that ten thousand cost as little as ten.
import { agentVariable } from "../agentColor.ts";
import type { Bar } from "./stripLayout.ts";

/** Paints bars in lanes `laneHeight` pixels high: the coach's score as a bar, the person's as a tick, the difference as a line between. */
export function drawMarks(
  canvas: HTMLCanvasElement,
  bars: readonly Bar[],
  lanes: readonly string[],
  laneHeight: number,
  width: number,
): void {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(lanes.length * laneHeight * scale);
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.scale(scale, scale);
  const styles = getComputedStyle(canvas);
  const color = (name: string) => styles.getPropertyValue(name).trim() || styles.color;
  const foreground = color("--vscode-foreground");
  const quiet = color("--vscode-descriptionForeground");
  const agentColors = lanes.map((agent) => color(agentVariable(lanes, agent)));

  context.fillStyle = color("--touchline-line");
  for (let lane = 1; lane < lanes.length; lane++) context.fillRect(0, lane * laneHeight - 0.5, width, 0.5);

  const room = laneHeight - 6;
  for (const { lane, x, width: wide, coach, override, isMissing, scoredCount } of bars) {
    const base = (lane + 1) * laneHeight - 3;
    const y = (value: number) => base - Math.max(1.5, (value / 10) * room);
    const barWidth = Math.min(wide, 8);
    if (coach !== null) {
      context.fillStyle = agentColors[lane] ?? quiet;
      context.globalAlpha = override === null ? 1 : 0.45;
      context.fillRect(x, y(coach), barWidth, base - y(coach));
      context.globalAlpha = 1;
    } else if (override === null) {
      // A missing score is a line on the ground, a covered one a block that tells nothing.
      context.fillStyle = quiet;
      if (isMissing) context.fillRect(x, base - 1, barWidth, 1);
      else context.fillRect(x, base - room / 2, barWidth, room / 2);
    }
    if (override === null) continue;
    const top = y(override);
    context.fillStyle = foreground;
    context.fillRect(x - 0.5, top - 1, Math.max(3, barWidth + 1), 2);
    if (coach === null || scoredCount > 1) continue;
    context.fillRect(x + barWidth / 2 - 0.5, Math.min(top, y(coach)), 1, Math.abs(top - y(coach)));
  }
}
