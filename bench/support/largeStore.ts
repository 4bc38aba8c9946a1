// A store with many scored actions, so that figures are measured at the size a project reaches.
import { fakeAction, fakeRun, fakeScore, fakeTrajectory } from "../../trainer-bridge/store/fakeRecords.ts";
import { openStore } from "../../trainer-bridge/store/store.ts";

const ACTIONS_PER_TRAJECTORY = 50;
const TRAJECTORIES_PER_BATCH = 20;

/** Fills a new store in `dir` with trajectories of 50 scored actions each. */
export function fillStore(dir: string, actionCount: number): void {
  const store = openStore(dir);
  store.createRun(fakeRun());
  const trajectoryCount = Math.ceil(actionCount / ACTIONS_PER_TRAJECTORY);
  for (let first = 0; first < trajectoryCount; first += TRAJECTORIES_PER_BATCH) {
    const count = Math.min(TRAJECTORIES_PER_BATCH, trajectoryCount - first);
    store.addTrajectories(Array.from({ length: count }, (_, place) => wholeTrajectory(first + place)));
  }
  store.close();
}

/** Adds one trajectory of `actionCount` actions to the store in `dir`, newer than all others. */
export function addLongTrajectory(dir: string, id: string, actionCount: number): void {
  const store = openStore(dir);
  const actions = Array.from({ length: actionCount }, (_, index) => {
    const action = fakeAction(`${id}-${index}`, id, index);
    return { action, tokens: null, scores: [fakeScore(`s-${action.id}`, action, index % 11)] };
  });
  store.addTrajectories([{ trajectory: fakeTrajectory(id, { purpose: "rollout" }), actions }]);
  store.close();
}

function wholeTrajectory(place: number) {
  const id = `t-${place}`;
  const actions = Array.from({ length: ACTIONS_PER_TRAJECTORY }, (_, index) => {
    const action = fakeAction(`a-${place * ACTIONS_PER_TRAJECTORY + index}`, id, index);
    return { action, tokens: null, scores: [fakeScore(`s-${action.id}`, action, (place + index) % 11)] };
  });
  return { trajectory: fakeTrajectory(id, { purpose: "rollout" }), actions };
}
