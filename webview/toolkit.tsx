// The only door to @vscode/webview-ui-toolkit: chrome of the pages, never rows; leaving it means changing this file.
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
} from "@vscode/webview-ui-toolkit";
import { type ComponentChildren, h } from "preact";

provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeDropdown(), vsCodeOption(), vsCodeProgressRing());

/** A button of the page's chrome. */
export function Button(props: {
  appearance?: "primary" | "secondary" | "icon";
  /** A codicon before the text. */
  icon?: string;
  label?: string;
  isDisabled?: boolean;
  title?: string;
  onClick: () => void;
  children?: ComponentChildren;
}) {
  const { appearance = "secondary", icon, label, isDisabled = false, title, onClick, children } = props;
  return h(
    "vscode-button",
    { appearance, "aria-label": label ?? null, title: title ?? label ?? null, disabled: isDisabled, onClick },
    icon === undefined ? null : h("span", { slot: "start", class: `codicon codicon-${icon}`, "aria-hidden": "true" }),
    children,
  );
}

/** A choice among named things. */
export function Dropdown(props: {
  label: string;
  value: string;
  options: readonly { readonly value: string; readonly text: string }[];
  onChange: (value: string) => void;
}) {
  const { label, value, options, onChange } = props;
  const onInput = (event: Event) => {
    const chosen = (event.target as HTMLInputElement | null)?.value;
    if (chosen !== undefined && chosen !== value) onChange(chosen);
  };
  return h(
    "vscode-dropdown",
    { "aria-label": label, onChange: onInput },
    options.map((option) =>
      h("vscode-option", { key: option.value, value: option.value, selected: option.value === value }, option.text),
    ),
  );
}

/** A turning ring: something is under way. */
export function ProgressRing({ label }: { label: string }) {
  return h("vscode-progress-ring", { "aria-label": label });
}
