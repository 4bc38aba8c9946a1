// `npm run check`: everything that needs no other process, in about a minute.
import { checkStages } from "./checkStages.ts";
import { runStages } from "./stage.ts";

await runStages(checkStages);
