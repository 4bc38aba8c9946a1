// One set-up at a time on a machine.
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** True while the process runs. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** The process that holds the lock, or undefined where it is free or its holder is gone. */
function holder(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isInteger(pid) && pid > 0 && isAlive(pid) ? pid : undefined;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Waits for the lock of this folder; the answer gives it back. A lock whose holder died is taken over. */
export async function acquireLock(folder, say) {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "setup.lock");
  const mine = path.join(folder, `setup.lock.${process.pid}`);
  writeFileSync(mine, String(process.pid));
  for (let waited = 0; ; waited++) {
    try {
      // A link appears with its content: nobody can read a lock that names no process yet.
      linkSync(mine, file);
      rmSync(mine, { force: true });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const pid = holder(file);
    if (pid === undefined) rmSync(file, { force: true });
    else {
      if (waited === 0) say(`another set-up (process ${pid}) is running; waiting for it.`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
