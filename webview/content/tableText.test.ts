// @vitest-environment jsdom
// Tables out of tool output: the text of them, sorted as a person expects.
import { describe, expect, test } from "vitest";
import { isNumberColumn, sortedRows, tableOfCsv, tableOfHtml, textOfHtml } from "./tableText.ts";

describe("an HTML table", () => {
  test("as pandas writes it", () => {
    const html =
      '<style>.x{}</style><table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th><th>n</th></tr></thead><tbody><tr><th>0</th><td>1.5</td></tr><tr><th>1</th><td>NaN</td></tr></tbody></table>';
    expect(tableOfHtml(html)).toEqual({
      columns: ["", "n"],
      rows: [
        ["0", "1.5"],
        ["1", "NaN"],
      ],
    });
  });

  test("is text only, whatever is in its cells", () => {
    const table = tableOfHtml(
      "<table><tr><th onclick=x>a</th></tr><tr><td><img src=x onerror=alert(1)>b<script>c</script></td></tr></table>",
    );
    expect(table).toEqual({ columns: ["a"], rows: [["b"]] });
  });

  test("spans keep columns in line", () => {
    expect(
      tableOfHtml("<table><tr><th colspan=2>a</th><th>b</th></tr><tr><td>1</td><td>2</td><td>3</td></tr></table>"),
    ).toEqual({ columns: ["a", "", "b"], rows: [["1", "2", "3"]] });
  });

  test("that is none is told", () => {
    expect(tableOfHtml("<p>hello <b>there</b></p>")).toBeNull();
    expect(textOfHtml("<p>hello <b>there</b></p><script>x</script>")).toBe("hello there");
  });
});

test.each([
  ["plain", "a,b\n1,2\n", { columns: ["a", "b"], rows: [["1", "2"]] }],
  [
    "quoted commas, quotes and line ends",
    'a,b\n"x, ""y""","two\nlines"',
    { columns: ["a", "b"], rows: [['x, "y"', "two\nlines"]] },
  ],
  ["Windows line ends", "a,b\r\n1,2\r\n", { columns: ["a", "b"], rows: [["1", "2"]] }],
  ["nothing", "", null],
])("CSV: %s", (_name, csv, table) => {
  expect(tableOfCsv(csv)).toEqual(table);
});

const table = {
  columns: ["name", "n"],
  rows: [
    ["ten", "10"],
    ["nine", "9"],
    ["none", "NaN"],
    ["minus", "-1.5"],
  ],
};

test("a column of numbers sorts by value, what is missing last either way", () => {
  expect(isNumberColumn(table, 1)).toBe(true);
  expect(sortedRows(table, 1, false).map((row) => row[0])).toEqual(["minus", "nine", "ten", "none"]);
  expect(sortedRows(table, 1, true).map((row) => row[0])).toEqual(["ten", "nine", "minus", "none"]);
});

test("a column of words sorts as words", () => {
  expect(isNumberColumn(table, 0)).toBe(false);
  expect(sortedRows(table, 0, false).map((row) => row[0])).toEqual(["minus", "nine", "none", "ten"]);
});
