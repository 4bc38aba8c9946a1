// A component that is drawn again only when one of its properties changed.
import { Component, type ComponentChildren, type FunctionComponent, h } from "preact";

/** Wraps a component so that equal properties (by identity) leave what is drawn as it is. */
export function memo<P extends object>(draw: (props: P) => ComponentChildren): FunctionComponent<P> {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const before = this.props as Readonly<P>;
      const keys = new Set([...Object.keys(before), ...Object.keys(next)]) as Set<keyof P>;
      for (const key of keys) if (before[key] !== next[key]) return true;
      return false;
    }
    override render() {
      return h(draw as FunctionComponent<P>, this.props as never);
    }
  }
  return Memo as unknown as FunctionComponent<P>;
}
