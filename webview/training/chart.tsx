// One chart: curves named at their ends, intervals as bands, numbers on hover, a way from a point to its trajectories.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ChartFacts, Curve, Point } from "./curves.ts";
import { scaleOf, spreadLabels } from "./curves.ts";

interface Props {
  readonly chart: ChartFacts;
  readonly height: number;
  /** Curve names at their ends; a small chart leaves them to the legend. */
  readonly isNamed: boolean;
  readonly first: number;
  readonly last: number;
  readonly pointed: number | null;
  readonly onPoint: (x: number | null) => void;
  readonly onOpen: (x: number) => void;
}

const TOP = 8;
const BOTTOM = 20;

/** Draws the chart as SVG; a table with the same numbers is there for screen readers. */
export function Chart(props: Props) {
  const { chart, height, isNamed, first, last, pointed, onPoint, onOpen } = props;
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const { low, high, ticks } = scaleOf(chart);
  const left = 12 + Math.max(...ticks.map((tick) => chart.format(tick).length)) * 7;
  const right = isNamed && width > 360 ? 112 : 12;
  const span = Math.max(1, last - first);
  const x = (value: number) => left + ((value - first) / span) * Math.max(1, width - left - right);
  const y = (value: number) => TOP + (1 - (value - low) / (high - low || 1)) * (height - TOP - BOTTOM);
  const hasPoints = chart.curves.some((curve) => curve.points.length > 0);
  const xAt = (event: MouseEvent) => {
    const share = (event.offsetX - left) / Math.max(1, width - left - right);
    return Math.max(first, Math.min(last, Math.round(first + share * span)));
  };
  const onKey = (event: KeyboardEvent) => {
    const from = pointed ?? last;
    if (event.key === "ArrowLeft") onPoint(Math.max(first, from - 1));
    else if (event.key === "ArrowRight") onPoint(Math.min(last, from + 1));
    else if (event.key === "Home") onPoint(first);
    else if (event.key === "End") onPoint(last);
    else if (event.key === "Enter" && pointed !== null) onOpen(pointed);
    else return;
    event.preventDefault();
  };
  return (
    <figure class="chart">
      <figcaption>
        <span class="chartTitle" title={chart.about}>
          {chart.title}
        </span>
        <Readout chart={chart} pointed={pointed} kind={!isNamed ? "small" : right > 12 ? "wide" : "named"} />
      </figcaption>
      <div ref={box} class="chartBox">
        {width > 0 && hasPoints && (
          <svg
            class="chartDrawing"
            width={width}
            height={height}
            viewBox={`0 0 ${width} ${height}`}
            role="application"
            aria-label={`${chart.title} over iterations. ${chart.about}. Arrow keys move, Enter shows the trajectories.`}
            onMouseMove={(event) => onPoint(xAt(event))}
            onMouseLeave={() => onPoint(null)}
            onClick={(event) => onOpen(xAt(event))}
            onKeyDown={onKey}
            onBlur={() => onPoint(null)}
          >
            {ticks.map((tick) => (
              <g key={tick}>
                <line
                  class={tick === 0 ? "axisLine" : "gridLine"}
                  x1={left}
                  x2={width - right}
                  y1={y(tick)}
                  y2={y(tick)}
                />
                <text class="axisText" x={left - 8} y={y(tick) + 4} text-anchor="end">
                  {chart.format(tick)}
                </text>
              </g>
            ))}
            {iterationTicks(first, last, width - left - right).map((tick) => (
              <text key={tick} class="axisText" x={x(tick)} y={height - 4} text-anchor="middle">
                {tick}
              </text>
            ))}
            {pointed !== null && (
              <line class="pointedLine" x1={x(pointed)} x2={x(pointed)} y1={TOP} y2={height - BOTTOM} />
            )}
            {chart.curves.map((curve) => (
              <CurveLine key={curve.name} curve={curve} x={x} y={y} pointed={pointed} />
            ))}
            {right > 12 && <Names curves={chart.curves} x={width - right + 8} y={y} room={height - BOTTOM} />}
          </svg>
        )}
        {!hasPoints && <p class="quiet noPoints">Nothing measured yet</p>}
      </div>
      <Numbers chart={chart} />
    </figure>
  );
}

function CurveLine(props: {
  curve: Curve;
  x: (value: number) => number;
  y: (value: number) => number;
  pointed: number | null;
}) {
  const { curve, x, y, pointed } = props;
  const { points } = curve;
  const line = points
    .map((point, place) => `${place === 0 ? "M" : "L"}${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`)
    .join("");
  const banded = points.filter(
    (point): point is Point & { low: number; high: number } => point.low !== null && point.high !== null,
  );
  const upper = banded.map((point) => `${x(point.x).toFixed(1)} ${y(point.high).toFixed(1)}`);
  const lower = banded.toReversed().map((point) => `${x(point.x).toFixed(1)} ${y(point.low).toFixed(1)}`);
  const only = points.length === 1 ? points[0] : undefined;
  const at = points.find((point) => point.x === pointed);
  return (
    <g class={curve.className}>
      {banded.length > 1 && <path class="band" d={`M${[...upper, ...lower].join("L")}Z`} />}
      <path class={curve.isDashed ? "curve isDashed" : "curve"} d={line} />
      {only !== undefined && <circle class="dot" cx={x(only.x)} cy={y(only.y)} r={3} />}
      {at !== undefined && <circle class="dot" cx={x(at.x)} cy={y(at.y)} r={3} />}
    </g>
  );
}

function Names(props: { curves: readonly Curve[]; x: number; y: (value: number) => number; room: number }) {
  const ends = props.curves.flatMap((curve) => {
    const end = curve.points.at(-1);
    return end === undefined ? [] : [{ curve, height: props.y(end.y) + 4 }];
  });
  const heights = spreadLabels(
    ends.map((end) => end.height),
    15,
    props.room,
  );
  return (
    <>
      {ends.map(({ curve }, place) => (
        <text key={curve.name} class={`curveName ${curve.className}`} x={props.x} y={heights[place] ?? 0}>
          {curve.name}
        </text>
      ))}
    </>
  );
}

function Readout({
  chart,
  pointed,
  kind,
}: {
  chart: ChartFacts;
  pointed: number | null;
  kind: "small" | "wide" | "named";
}) {
  const values = chart.curves.flatMap((curve) => {
    const point = pointed === null ? curve.points.at(-1) : curve.points.find((item) => item.x === pointed);
    return point === undefined ? [] : [{ curve, point }];
  });
  return (
    <span class={`readout is-${kind}`} aria-live="polite">
      {pointed !== null && <span class="quiet">{pointed === 0 ? "before" : `iteration ${pointed}`}</span>}
      {values.map(({ curve, point }) => (
        <span key={curve.name} class="readoutValue" title={curve.name}>
          <span class={`swatch ${curve.className}${curve.isDashed ? " isDashed" : ""}`} />
          {kind === "named" && <span class="quiet">{curve.name} </span>}
          {chart.format(point.y)}
          {kind !== "small" && pointed !== null && point.low !== null && point.high !== null && (
            <span class="quiet">
              {" "}
              {chart.format(point.low)}–{chart.format(point.high)}, {point.note}
            </span>
          )}
        </span>
      ))}
    </span>
  );
}

/** The same numbers as a table; the newest two hundred iterations. */
function Numbers({ chart }: { chart: ChartFacts }) {
  const rows = [...new Set(chart.curves.flatMap((curve) => curve.points.map((point) => point.x)))]
    .sort((a, b) => a - b)
    .slice(-200);
  return (
    <table class="onlyRead">
      <caption>
        {chart.title}: {chart.about}
      </caption>
      <thead>
        <tr>
          <th scope="col">Iteration</th>
          {chart.curves.map((curve) => (
            <th key={curve.name} scope="col">
              {curve.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row}>
            <th scope="row">{row}</th>
            {chart.curves.map((curve) => {
              const point = curve.points.find((item) => item.x === row);
              return <td key={curve.name}>{point === undefined ? "not known" : chart.format(point.y)}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Iteration numbers under the chart, as many as fit. */
function iterationTicks(first: number, last: number, width: number): number[] {
  const most = Math.max(2, Math.floor(width / 40));
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((size) => (last - first) / size <= most) ?? 1000;
  const ticks: number[] = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) ticks.push(tick);
  return ticks;
}
