// A process that writes to the store in argv[2] until it is killed, and prints each id once it is acknowledged.
import { writeSync } from "node:fs";
import { fakeAction, fakeRun, fakeScore, fakeTrajectory } from "./fakeRecords.ts";
import { openStore } from "./store.ts";

const store = openStore(process.argv[2] ?? "");
const acknowledge = (kind: string, id: string) => writeSync(1, `${kind} ${id}\n`);
const trajectoryId = `t-${process.pid}`;
if (store.counts().runs === 0) store.createRun(fakeRun());
store.addTrajectory(fakeTrajectory(trajectoryId));
for (let index = 0; ; index += 1) {
  const action = fakeAction(`${trajectoryId}-${index}`, trajectoryId, index);
  store.addAction(action, {
    actionId: action.id,
    promptTokenIds: [1, 2],
    tokenIds: [3],
    logprobs: [-0.5],
    temperature: 1,
  });
  acknowledge("action", action.id);
  const score = store.addScore(fakeScore(`${action.id}-score`, action, 5));
  acknowledge("score", score.id);
  const override = store.setOverride({
    requestId: `${action.id}-override`,
    actionId: action.id,
    value: 2,
    rationale: "The box is empty.",
    author: "Ada",
    basedOn: score.id,
    tags: [],
  });
  acknowledge("score", override.id);
  acknowledge("blob", store.putBlob(Buffer.from(`blob of ${action.id}`), "text/plain"));
}
