// One fixed colour an agent: by its place in the team, the same on every page.

/** How many colours there are before they begin again. */
export const AGENT_COLORS = 6;

/** The CSS class that sets `--agent` to this agent's colour. */
export function agentClass(agents: readonly string[], agent: string): string {
  const place = agents.indexOf(agent);
  return place < 0 ? "agentOther" : `agent${place % AGENT_COLORS}`;
}

/** The CSS variable behind `agentClass`, for what is drawn on a canvas. */
export function agentVariable(agents: readonly string[], agent: string): string {
  const place = agents.indexOf(agent);
  const variables = ["blue", "yellow", "purple", "green", "red", "orange"];
  return place < 0 ? "--vscode-descriptionForeground" : `--vscode-charts-${variables[place % AGENT_COLORS]}`;
}
