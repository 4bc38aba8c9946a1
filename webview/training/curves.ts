// From iterations to the curves of the page; a number that is not known is no point, never a zero.

import type { AgentMetrics, Evaluation, Iteration } from "../../src/protocol/model.ts";
import { agentTitle } from "../../src/protocol/title.ts";
import { percentText } from "../quantity.ts";
import { wilson } from "./wilson.ts";

/** One point of a curve; `x` is the iteration's index, 0 being the policies before the first. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number | null;
  readonly high: number | null;
  /** What the hover adds, such as `58 of 64`. */
  readonly note: string;
}

/** One curve with its name and the CSS class of its colour. */
export interface Curve {
  readonly name: string;
  readonly className: string;
  readonly isDashed: boolean;
  readonly points: readonly Point[];
}

/** A chart: curves over iterations in one unit. */
export interface ChartFacts {
  readonly id: string;
  readonly title: string;
  /** What is measured, in one line. */
  readonly about: string;
  readonly curves: readonly Curve[];
  /** Fixed limits of y; otherwise as the points need. */
  readonly limits: readonly [number, number] | null;
  readonly format: (value: number) => string;
}

function evaluationPoint(x: number, evaluation: Evaluation | null): Point[] {
  if (evaluation === null) return [];
  // A rollout that failed is no success; it stays in the count.
  const share = wilson(evaluation.successes, evaluation.rollouts);
  if (share === null) return [];
  return [
    { x, y: share.rate, low: share.low, high: share.high, note: `${evaluation.successes} of ${evaluation.rollouts}` },
  ];
}

/** Held-out success before the first and after every iteration. */
export function heldOutPoints(iterations: readonly Iteration[]): Point[] {
  const byX = new Map<number, Point>();
  for (const iteration of iterations) {
    for (const point of evaluationPoint(iteration.index - 1, iteration.evaluationBefore)) {
      if (!byX.has(point.x)) byX.set(point.x, point);
    }
    for (const point of evaluationPoint(iteration.index, iteration.evaluationAfter)) byX.set(point.x, point);
  }
  return [...byX.values()].sort((a, b) => a.x - b.x);
}

/** The success chart: held-out with its interval, and the training batch beside it. */
export function successChart(iterations: readonly Iteration[]): ChartFacts {
  return {
    id: "success",
    title: "Success",
    about: "Share of rollouts that solved their task; the band is the 95% interval",
    limits: [0, 1],
    format: percentText,
    curves: [
      { name: "held-out", className: "heldOut", isDashed: false, points: heldOutPoints(iterations) },
      {
        name: "training batch",
        className: "batch",
        isDashed: true,
        points: iterations.flatMap((iteration) =>
          evaluationPoint(iteration.index, iteration.batch).map((point) => ({ ...point, low: null, high: null })),
        ),
      },
    ],
  };
}

interface Measure {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly limits: readonly [number, number] | null;
  readonly format: (value: number) => string;
  readonly value: (metrics: AgentMetrics) => number | null;
}

const decimals = (places: number) => (value: number) => value.toFixed(places).replace("-", "−");

const reward: Measure = {
  id: "reward",
  title: "Mean reward",
  about: "Mean effective score of each agent's actions, 0 to 10",
  limits: [0, 10],
  format: decimals(1),
  value: (metrics) => (metrics.meanReward === null ? null : metrics.meanReward * 10),
};

const small: readonly Measure[] = [
  {
    id: "kl",
    title: "KL to the reference",
    about: "Mean per token, in nats",
    limits: null,
    format: decimals(3),
    value: (metrics) => metrics.kl,
  },
  {
    id: "clip",
    title: "Clip fraction",
    about: "Share of tokens whose ratio was clipped",
    limits: null,
    format: (value) => `${(value * 100).toFixed(1)}%`,
    value: (metrics) => metrics.clipFraction,
  },
  {
    id: "entropy",
    title: "Entropy",
    about: "Mean per token, in nats",
    limits: null,
    format: decimals(2),
    value: (metrics) => metrics.entropy,
  },
  {
    id: "length",
    title: "Length",
    about: "Mean tokens of an action",
    limits: null,
    format: decimals(0),
    value: (metrics) => metrics.meanLength,
  },
  {
    id: "truncation",
    title: "Cut off",
    about: "Share of actions cut off at the token limit",
    limits: null,
    format: (value) => `${(value * 100).toFixed(1)}%`,
    value: (metrics) => (metrics.actionCount === 0 ? null : metrics.truncatedCount / metrics.actionCount),
  },
  {
    id: "bias",
    title: "Person − coach",
    about: "Mean difference where a person overrode, in points",
    limits: null,
    format: decimals(1),
    value: (metrics) => metrics.coachBias,
  },
];

function agentChart(
  measure: Measure,
  iterations: readonly Iteration[],
  agents: readonly string[],
  classOf: (agent: string) => string,
): ChartFacts {
  const { id, title, about, limits, format, value } = measure;
  const curves = agents.map(
    (agent): Curve => ({
      name: agentTitle(agent),
      className: classOf(agent),
      isDashed: false,
      points: iterations.flatMap((iteration) => {
        const metrics = iteration.agents.find((item) => item.agent === agent);
        const y = metrics === undefined ? null : value(metrics);
        return y === null || !Number.isFinite(y) ? [] : [{ x: iteration.index, y, low: null, high: null, note: "" }];
      }),
    }),
  );
  return { id, title, about, limits, format, curves };
}

/** Mean reward of each agent. */
export function rewardChart(
  iterations: readonly Iteration[],
  agents: readonly string[],
  classOf: (agent: string) => string,
): ChartFacts {
  return agentChart(reward, iterations, agents, classOf);
}

/** The small multiples: what tells whether the training is healthy. */
export function healthCharts(
  iterations: readonly Iteration[],
  agents: readonly string[],
  classOf: (agent: string) => string,
): ChartFacts[] {
  return small.map((measure) => agentChart(measure, iterations, agents, classOf));
}

/** Round limits and grid lines that hold all points; fixed limits as they are. */
export function scaleOf(chart: ChartFacts): { low: number; high: number; ticks: number[] } {
  const values = chart.curves.flatMap((curve) =>
    curve.points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
  );
  const [low, high] = chart.limits ?? [Math.min(0, ...values), Math.max(0, ...values)];
  const span = high - low || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const from = chart.limits ? low : Math.floor(low / step) * step;
  const to = chart.limits ? high : Math.max(from + step, Math.ceil(high / step) * step);
  const ticks: number[] = [];
  for (let place = 0; from + place * step <= to + step * 1e-6; place++) ticks.push(from + place * step);
  return { low: from, high: to, ticks };
}

/** Heights for labels that would overlap: at least `gap` apart, in order, moved as little as needed, inside `room`. */
export function spreadLabels(heights: readonly number[], gap: number, room: number): number[] {
  const order = heights.map((_, place) => place).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  const result = heights.slice();
  let previous = -Infinity;
  for (const place of order) {
    const height = Math.max(heights[place] ?? 0, previous + gap);
    result[place] = height;
    previous = height;
  }
  let next = room;
  for (const place of order.toReversed()) {
    const height = Math.min(result[place] ?? 0, next);
    result[place] = height;
    next = height - gap;
  }
  return result;
}
