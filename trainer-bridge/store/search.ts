// What a person types into the search box, as a legal full-text query; and the snippet around what was found.

/** Quoted phrases, else runs without blanks; a star right behind a word or phrase asks for its prefix. */
const piece = /"([^"]*)"?(\*?)|([^\s"]+)/gu;
const isWord = /[\p{L}\p{N}]/u;
/** Prefixes of three letters have an index of their own; a shorter one would match nearly every word there is. */
const SHORTEST_PREFIX = 3;

/** One thing searched for: its words in order, the last one perhaps a prefix. */
export interface Term {
  readonly phrase: string;
  readonly isPrefix: boolean;
}

/** The terms of a query, all of which must be found; nothing in it is taken for query syntax. */
export function termsOf(query: string): Term[] {
  const terms: Term[] = [];
  for (const [, quoted, star, bare] of query.matchAll(piece)) {
    const isPrefix = bare === undefined ? star === "*" : bare.endsWith("*");
    const phrase = (quoted ?? bare ?? "").replaceAll(/[\0"*]/g, " ").trim();
    if (!isWord.test(phrase)) continue;
    const lastWord = phrase.split(/[^\p{L}\p{N}\p{M}]+/u).findLast((word) => word !== "") ?? "";
    terms.push({ phrase, isPrefix: isPrefix && lastWord.length >= SHORTEST_PREFIX });
  }
  return terms;
}

/** The terms in FTS5's own syntax, within one run where `runN` is given; null where there is nothing to search for. */
export function matchExpression(terms: readonly Term[], runN: number | null): string | null {
  if (terms.length === 0) return null;
  const words = terms.map(({ phrase, isPrefix }) => `"${phrase}"${isPrefix ? " *" : ""}`).join(" AND ");
  const place = runN === null ? "" : `place : "${placeOf(runN)}" AND `;
  return `${place}body : (${words})`;
}

/** The word of the index that stands for a run. */
export function placeOf(runN: number): string {
  return `run${runN}`;
}

/** Characters shown before and after what was found. */
const BEFORE = 60;
const AFTER = 140;

/** About 200 characters around the first place in `text` where a term stands, on one line. */
export function snippetOf(text: string, terms: readonly Term[]): string {
  const folded = fold(text);
  // Folding keeps the length for nearly every text; where it does not, the beginning is shown.
  const at = folded.length === text.length ? firstPlace(folded, terms) : 0;
  const from = Math.max(0, at - BEFORE);
  const cut = text
    .slice(from, at + AFTER)
    .toWellFormed()
    .replaceAll(/\s+/g, " ")
    .trim();
  return `${from > 0 ? "…" : ""}${cut}${at + AFTER < text.length ? "…" : ""}`;
}

function firstPlace(folded: string, terms: readonly Term[]): number {
  const places = terms.map(({ phrase, isPrefix }) => {
    const words = fold(phrase)
      .split(/[^\p{L}\p{N}]+/u)
      .filter((word) => word !== "");
    const end = isPrefix ? "" : "(?![\\p{L}\\p{N}])";
    return folded.search(new RegExp(`(?<![\\p{L}\\p{N}])${words.join("[^\\p{L}\\p{N}]+")}${end}`, "u"));
  });
  const found = places.filter((place) => place >= 0);
  return found.length === 0 ? 0 : Math.min(...found);
}

/** Lower case without accents, one character for one, as the index compares words. */
function fold(text: string): string {
  return text.toLowerCase().replaceAll(/[\u00c0-\u024f]/g, (letter) => letter.normalize("NFD").charAt(0));
}
