// How names that machines use are shown to people, the same in every view.

/** An agent's name as a title: `problem_solver` → "Problem Solver". Names that are not snake case stay as they are. */
export function agentTitle(agent: string): string {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(agent)) return agent;
  return agent
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(" ");
}

/** The version of a frozen policy name: `problem_solver_b99e43@v3` → "v3"; a name without one stays as it is. */
export function versionText(policyVersion: string): string {
  return /@(v\d+)$/.exec(policyVersion)?.[1] ?? policyVersion;
}
