// Tells the host when this page listens to keys, and keeps letters that are typed into a field from being commands.

/** Calls `tell` with `focused` or `blurred` as the page gains or loses the keys; a text field takes them away for a while. */
export function watchFocus(
  isTyping: (element: Element | null) => boolean,
  tell: (command: "focused" | "blurred") => void,
): void {
  let told: string | null = null;
  const update = () => {
    const now = document.hasFocus() && !isTyping(document.activeElement) ? "focused" : "blurred";
    if (now === told) return;
    told = now;
    tell(now);
  };
  window.addEventListener("focus", update);
  window.addEventListener("blur", update);
  document.addEventListener("focusin", update);
  // Between two elements nothing has the focus; what counts is where it lands.
  document.addEventListener("focusout", () => setTimeout(update));
  document.addEventListener("keydown", (event) => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && event.key.length === 1;
    if (isPlain && isTyping(document.activeElement)) event.stopPropagation();
  });
  update();
}
