// The column of actions: only rows near the view are in the document, and what is being read never moves.
import { Component, createRef } from "preact";
import { Icon } from "../icon.tsx";
import { pluralText } from "../quantity.ts";
import { ActionRow } from "./actionRow.tsx";
import type { Page } from "./deeds.ts";
import { guessHeight, Heights } from "./heights.ts";
import type { State } from "./state.ts";
import type { ViewportSignal } from "./viewport.ts";

/** Pixels drawn above and below the view. */
const OVERSCAN = 400;
/** Pixels left free above a row that is brought into view. */
const LEAD = 8;

interface Props {
  readonly state: State;
  readonly page: Page;
  readonly viewport: ViewportSignal;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Draws the transcript of the shown trajectory. */
export class Transcript extends Component<Props, Range> {
  override state: Range = { from: 0, to: -1 };
  private readonly scroller = createRef<HTMLDivElement>();
  private readonly above = createRef<HTMLDivElement>();
  private readonly below = createRef<HTMLDivElement>();
  private readonly heights = new Heights();
  private readonly rows = new Map<number, HTMLElement>();
  private readonly rowSizes = new ResizeObserver((entries) => this.measured(entries));
  private readonly ownSize = new ResizeObserver(() => this.resized());
  /** The row at the upper edge and how far it is scrolled past: what is held still. */
  private anchor = { index: 0, offset: 0 };
  private knownTop = 0;
  private width = 0;
  private focusedSerial = -1;
  private wishSerial = -1;
  private trajectoryId: string | null = null;

  override componentDidMount(): void {
    const { current } = this.scroller;
    if (current !== null) this.ownSize.observe(current);
    this.refresh();
  }

  override componentWillUnmount(): void {
    this.rowSizes.disconnect();
    this.ownSize.disconnect();
  }

  override componentDidUpdate(): void {
    this.refresh();
  }

  private readonly guess = (index: number): number => {
    const mark = this.props.state.marks[index];
    if (mark === undefined) return 96;
    return guessHeight({ size: mark.size, hasToolCall: mark.toolStatus !== null }, Math.min(86, (this.width - 48) / 7));
  };

  private refresh(): void {
    this.follow();
    const { state } = this.props;
    const trajectoryId = state.trajectory?.id ?? null;
    if (trajectoryId !== this.trajectoryId) {
      this.trajectoryId = trajectoryId;
      this.heights.resize(0, this.guess);
      this.anchor = { index: 0, offset: 0 };
    }
    if (this.heights.length !== state.marks.length) this.heights.resize(state.marks.length, this.guess);
    const { wish } = state;
    if (wish !== null && wish.serial !== this.wishSerial) {
      this.wishSerial = wish.serial;
      this.bring(wish.index);
    }
    this.place();
    this.look();
    if (wish?.takesFocus && this.focusedSerial !== wish.serial) {
      const row = this.rows.get(wish.index);
      if (row !== undefined) {
        this.focusedSerial = wish.serial;
        row.focus({ preventScroll: true });
      }
    }
  }

  /** Brings a row into view unless all of it can be seen already. */
  private bring(index: number): void {
    const scroller = this.scroller.current;
    if (scroller === null) return;
    const top = this.heights.top(index);
    const bottom = top + this.heights.of(index);
    const isWhole = top >= scroller.scrollTop && bottom <= scroller.scrollTop + scroller.clientHeight;
    if (isWhole && this.rows.has(index)) return;
    this.anchor = { index, offset: -LEAD };
  }

  /** Sets the room above and below the drawn rows, and holds the anchor still. */
  private place(): void {
    const scroller = this.scroller.current;
    const { above, below } = this;
    if (scroller === null || above.current === null || below.current === null) return;
    const { from, to } = this.state;
    above.current.style.height = `${this.heights.top(Math.max(0, Math.min(from, this.heights.length)))}px`;
    below.current.style.height = `${Math.max(0, this.heights.total - this.heights.top(to + 1))}px`;
    const wanted = Math.max(0, this.heights.top(this.anchor.index) + this.anchor.offset);
    if (Math.abs(scroller.scrollTop - wanted) > 0.5) scroller.scrollTop = wanted;
    this.knownTop = scroller.scrollTop;
  }

  /** Works out which rows belong in the document and which are in view. */
  private look(): void {
    const scroller = this.scroller.current;
    if (scroller === null || this.heights.length === 0) return;
    const upper = scroller.scrollTop;
    const lower = upper + scroller.clientHeight;
    const from = this.heights.indexAt(Math.max(0, upper - OVERSCAN));
    const to = this.heights.indexAt(lower + OVERSCAN);
    const first = this.heights.indexAt(upper + 1);
    const last = this.heights.indexAt(lower - 1);
    this.props.viewport.set({ first, last });
    const isAtEnd = last === this.heights.length - 1 && this.heights.total - lower < 60;
    this.props.page.send({ type: "atEnd", isAtEnd });
    this.props.page.wantBodies(first, last);
    if (from !== this.state.from || to !== this.state.to) this.setState({ from, to });
  }

  /** A scroll by the person moves the anchor; the browser may have scrolled before it says so. */
  private follow(): void {
    const scroller = this.scroller.current;
    if (scroller === null || this.heights.length === 0) return;
    const { scrollTop } = scroller;
    if (Math.abs(scrollTop - this.knownTop) <= 0.5) return;
    // Rows that shrink near the end make the browser scroll up by itself; that is not the person.
    const isPushed = scrollTop < this.knownTop && scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1;
    if (isPushed) return;
    const index = this.heights.indexAt(scroller.scrollTop);
    this.anchor = { index, offset: scroller.scrollTop - this.heights.top(index) };
    this.knownTop = scroller.scrollTop;
  }

  private readonly scrolled = (): void => {
    this.follow();
    this.look();
  };

  private measured(entries: readonly ResizeObserverEntry[]): void {
    this.follow();
    let change = 0;
    for (const { target, borderBoxSize } of entries) {
      const index = Number((target as HTMLElement).dataset["index"]);
      const height = borderBoxSize[0]?.blockSize ?? 0;
      if (target.isConnected && height > 0 && this.rows.get(index) === target)
        change += Math.abs(this.heights.set(index, height));
    }
    if (change === 0) return;
    this.place();
    this.look();
  }

  private resized(): void {
    const scroller = this.scroller.current;
    if (scroller === null) return;
    if (scroller.clientWidth !== this.width) {
      this.width = scroller.clientWidth;
      this.heights.forget();
      this.heights.guessAgain(this.guess);
      for (const [index, row] of this.rows) this.heights.set(index, row.offsetHeight);
      this.place();
    }
    this.look();
  }

  private readonly keepRow = (index: number, element: HTMLElement | null): void => {
    const before = this.rows.get(index);
    if (before === element) return;
    if (before !== undefined) this.rowSizes.unobserve(before);
    if (element === null) this.rows.delete(index);
    else {
      this.rows.set(index, element);
      this.rowSizes.observe(element);
    }
  };

  override render() {
    const { state, page } = this.props;
    const { from, to } = this.state;
    const rows = [];
    for (let index = from; index <= Math.min(to, state.marks.length - 1); index++) {
      const mark = state.marks[index];
      if (mark === undefined) continue;
      rows.push(
        <ActionRow
          key={mark.actionId}
          index={index}
          mark={mark}
          body={state.bodies.get(index) ?? null}
          room={this.heights.of(index)}
          state={state}
          page={page}
          keepRow={this.keepRow}
        />,
      );
    }
    return (
      <div class="transcriptFrame">
        <div class="transcript" ref={this.scroller} onScroll={this.scrolled} role="list" aria-label="Actions">
          <div ref={this.above} role="presentation" />
          {rows}
          <div ref={this.below} role="presentation" />
        </div>
        {state.unseen > 0 && !state.isAtEnd && (
          <button
            type="button"
            class="edgeNotice"
            onClick={() =>
              page.send({ type: "select", index: state.marks.length - state.unseen, isWished: true, takesFocus: true })
            }
          >
            {pluralText(state.unseen, "new action")} <Icon name="arrow-down" />
          </button>
        )}
        <div class="onlyRead" role="status">
          {state.unseen > 0 ? `${pluralText(state.unseen, "new action")} below` : ""}
        </div>
      </div>
    );
  }
}
