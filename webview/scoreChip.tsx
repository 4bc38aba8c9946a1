// The score chip at the end of an action's header: a number, the shape of its band, and the person's initial.
import { type Band, type ChipFacts, chipOf } from "./scoreText.ts";

/** Draws the chip; its width is fixed so that a column of them can be read downwards. */
export function ScoreChip({ facts }: { facts: ChipFacts }) {
  const chip = chipOf(facts);
  return (
    <span
      class={`chip is-${chip.band}${facts.isCovered ? " isCovered" : ""}${facts.override === null ? "" : " isOverride"}`}
      role="img"
      aria-label={chip.label}
      title={chip.label}
    >
      {!facts.isCovered && <BandShape band={chip.band} />}
      <span class="chipText">{chip.text}</span>
      {chip.initial !== "" && <span class="chipInitial">{chip.initial}</span>}
    </span>
  );
}

const paths: Readonly<Record<Band, string>> = {
  low: "M1 2.5h8L5 8.5z",
  middle: "M5 1.2 8.8 5 5 8.8 1.2 5z",
  high: "M5 1.5 9 7.5H1z",
  missing: "",
};

/** A mark that tells low, middle and high apart without colour. */
export function BandShape({ band }: { band: Band }) {
  if (band === "missing") return null;
  return (
    <svg class="bandShape" viewBox="0 0 10 10" width="8" height="8" aria-hidden="true">
      <path d={paths[band]} fill="currentColor" />
    </svg>
  );
}
