// Tables out of what a tool printed: HTML (as pandas writes it) and CSV, as rows of plain text.
import DOMPurify from "dompurify";

/** A table as text: one row of column names, and rows of cells. */
export interface TableText {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const TABLE_TAGS = "table thead tbody tfoot tr th td caption br b i em strong sub sup span div p".split(" ");

/** Longest HTML that is read; a longer one is opened in an editor. Characters. */
export const LONGEST_HTML = 2_000_000;

/** The first table of an HTML output, its text only; null where there is none. Nothing of the HTML reaches the page. */
export function tableOfHtml(html: string): TableText | null {
  const fragment = DOMPurify.sanitize(withBareTags(html.slice(0, LONGEST_HTML)), {
    ALLOWED_TAGS: TABLE_TAGS,
    ALLOWED_ATTR: ["colspan"],
    RETURN_DOM_FRAGMENT: true,
  });
  const table = fragment.querySelector("table");
  if (table === null) return null;
  const rows = [...table.querySelectorAll("tr")].map((row) => ({
    isHead: row.parentElement?.localName === "thead" || [...row.children].every((cell) => cell.localName === "th"),
    cells: [...row.children].flatMap((cell) => {
      const span = Math.min(50, Math.max(1, Number(cell.getAttribute("colspan")) || 1));
      return [(cell.textContent ?? "").trim(), ...Array<string>(span - 1).fill("")];
    }),
  }));
  const heads = rows.filter((row) => row.isHead);
  const bodies = rows.filter((row) => !row.isHead);
  if (bodies.length === 0 && heads.length === 0) return null;
  const width = Math.max(...rows.map((row) => row.cells.length));
  const head = heads.at(0)?.cells ?? [];
  const columns = Array.from({ length: width }, (_, column) => head[column] ?? "");
  return { columns, rows: bodies.map((row) => row.cells) };
}

/** All visible text of an HTML output, for one without a table. */
export function textOfHtml(html: string): string {
  const fragment = DOMPurify.sanitize(withBareTags(html.slice(0, LONGEST_HTML)), {
    ALLOWED_TAGS: TABLE_TAGS,
    ALLOWED_ATTR: [],
    RETURN_DOM_FRAGMENT: true,
  });
  return (fragment.textContent ?? "").trim();
}

/** The sanitiser is the wall; this only spares its parser styles and handlers, which the page's policy would report even unrun. */
function withBareTags(html: string): string {
  return html
    .replace(/<(style|script)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, "")
    .replace(/<\/?(?:link|meta|svg|math|object|iframe)\b[^>]*>?/gi, "")
    .replace(/<(\/?[a-z][\w-]*)([^<>]*)>/gi, (_tag, name: string, rest: string) => {
      const span = /\bcolspan\s*=\s*["']?(\d{1,2})\b/i.exec(rest)?.[1];
      return span === undefined ? `<${name}>` : `<${name} colspan="${span}">`;
    });
}

/** CSV with quotes as RFC 4180; the first row names the columns. */
export function tableOfCsv(csv: string): TableText | null {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (let place = 0; place < csv.length; place++) {
    const character = csv[place] ?? "";
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (csv[place + 1] === '"') {
        cell += '"';
        place++;
      } else isQuoted = false;
    } else if (character === '"' && cell === "") isQuoted = true;
    else if (character === ",") {
      row.push(cell);
      cell = "";
    } else if (character === "\n") {
      row.push(cell.replace(/\r$/, ""));
      rows.push(row);
      row = [];
      cell = "";
    } else cell += character;
  }
  if (cell !== "" || row.length > 0) rows.push([...row, cell]);
  const [columns, ...rest] = rows;
  return columns === undefined ? null : { columns, rows: rest };
}

const NUMBER = /^[-+−]?(\d[\d,]*)?\.?\d+(e[-+]?\d+)?%?$/i;

/** Whether every cell of a column that says anything is a number: such a column is set flush right and sorts by value. */
export function isNumberColumn(table: TableText, column: number): boolean {
  const cells = table.rows
    .map((row) => row[column] ?? "")
    .filter((cell) => cell !== "" && !/^(nan|none|null|nat)$/i.test(cell));
  return cells.length > 0 && cells.every((cell) => NUMBER.test(cell));
}

/** Rows in the order of one column, numbers by value and before what is missing; stable. */
export function sortedRows(table: TableText, column: number, isDescending: boolean): readonly (readonly string[])[] {
  const isNumber = isNumberColumn(table, column);
  const value = (row: readonly string[]) =>
    Number.parseFloat((row[column] ?? "").replaceAll(",", "").replace("−", "-"));
  const compare = (a: readonly string[], b: readonly string[]) => {
    if (!isNumber)
      return (a[column] ?? "").localeCompare(b[column] ?? "", undefined, { numeric: true }) * (isDescending ? -1 : 1);
    const [x, y] = [value(a), value(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return (x - y) * (isDescending ? -1 : 1);
  };
  return table.rows.toSorted(compare);
}
