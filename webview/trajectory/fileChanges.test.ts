// What a tool call did to its files.
import { expect, test } from "vitest";
import { fileChanges } from "./fileChanges.ts";

const file = (name: string, sha256: string) => ({ name, sizeBytes: 10, sha256 });

test("files are told apart as created, changed, removed and untouched, in that order", () => {
  const before = [file("old.csv", "1"), file("kept.csv", "2"), file("grown.csv", "3")];
  const after = [file("kept.csv", "2"), file("grown.csv", "4"), file("new.csv", "5")];
  expect(fileChanges(before, after).map(({ name, change }) => `${change} ${name}`)).toEqual([
    "created new.csv",
    "changed grown.csv",
    "removed old.csv",
    "same kept.csv",
  ]);
});
