// A table a tool printed, as a grid: sorted by a click, a hundred rows at a time.
import { useMemo, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { countText, pluralText } from "../quantity.ts";
import { isNumberColumn, sortedRows, type TableText } from "./tableText.ts";

const STEP = 100;

/** Draws the table; columns of numbers stand flush right. */
export function Grid({ table }: { table: TableText }) {
  const [order, setOrder] = useState<{ column: number; isDescending: boolean } | null>(null);
  const [shown, setShown] = useState(STEP);
  const isNumber = useMemo(() => table.columns.map((_, column) => isNumberColumn(table, column)), [table]);
  const rows = useMemo(
    () => (order === null ? table.rows : sortedRows(table, order.column, order.isDescending)),
    [table, order],
  );
  const sortBy = (column: number) =>
    setOrder(
      order?.column !== column
        ? { column, isDescending: false }
        : order.isDescending
          ? null
          : { column, isDescending: true },
    );
  return (
    <div class="gridBox">
      <div class="tableBox">
        <table class="grid">
          <thead>
            <tr>
              {table.columns.map((name, column) => {
                const isSorted = order?.column === column;
                return (
                  <th
                    key={column}
                    scope="col"
                    class={isNumber[column] ? "isNumber" : ""}
                    aria-sort={!isSorted ? "none" : order.isDescending ? "descending" : "ascending"}
                  >
                    <button type="button" onClick={() => sortBy(column)}>
                      {name === "" ? "\u00a0" : name}
                      {isSorted && <Icon name={order.isDescending ? "arrow-down" : "arrow-up"} />}
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map((row, place) => (
              <tr key={place}>
                {table.columns.map((_, column) => (
                  <td key={column} class={isNumber[column] ? "isNumber" : ""}>
                    {row[column] ?? ""}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="quiet gridFoot">
        {pluralText(table.rows.length, "row")} × {pluralText(table.columns.length, "column")}
        {rows.length > shown && (
          <button type="button" class="linkButton" onClick={() => setShown(shown + STEP)}>
            Show {countText(Math.min(STEP, rows.length - shown))} more
          </button>
        )}
      </div>
    </div>
  );
}
