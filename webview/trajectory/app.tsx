// The Trajectory page as a function of its state: head, transcript, and every state in which there is neither.
import { useEffect, useRef } from "preact/hooks";
import { ConnectionBanner } from "../banner.tsx";
import { Icon } from "../icon.tsx";
import { Button } from "../toolkit.tsx";
import type { Page } from "./deeds.ts";
import { Header } from "./header.tsx";
import { KEYS } from "./keys.ts";
import type { State } from "./state.ts";
import { Transcript } from "./transcript.tsx";
import type { ViewportSignal } from "./viewport.ts";

/** Draws the page. */
export function App({ state, page, viewport }: { state: State; page: Page; viewport: ViewportSignal }) {
  return (
    <>
      <ConnectionBanner connection={state.connection} run={page.run} />
      {state.notice !== null && (
        <div class="banner isError" role="alert">
          <Icon name="error" />
          <span class="bannerText">{state.notice}</span>
          <button type="button" class="button" onClick={() => page.send({ type: "notice", text: null })}>
            Dismiss
          </button>
        </div>
      )}
      <Main state={state} page={page} viewport={viewport} />
      {state.isHelpOpen && <Help page={page} />}
    </>
  );
}

function Main({ state, page, viewport }: { state: State; page: Page; viewport: ViewportSignal }) {
  if (state.phase === "failed") {
    return (
      <Place
        icon="error"
        title="This trajectory could not be loaded"
        text={`${state.error ?? ""} Nothing is lost: it is stored with the bridge.`}
      >
        <Button appearance="primary" onClick={() => void page.load()}>
          Try Again
        </Button>
      </Place>
    );
  }
  if (state.phase === "loading" && state.trajectory === null) return <LoadingPage />;
  if (state.phase === "none" || state.trajectory === null) {
    return (
      <Place
        icon="list-tree"
        title="No trajectory chosen"
        text="Choose one in the Runs tree to read what each agent did and how the coach scored it."
      >
        <Button appearance="primary" onClick={() => page.run("showRuns")}>
          Show Runs
        </Button>
      </Place>
    );
  }
  return (
    <>
      <Header trajectory={state.trajectory} state={state} page={page} viewport={viewport} />
      {state.marks.length === 0 ? (
        <Place
          icon={state.trajectory.outcome.kind === "running" ? "loading" : "circle-slash"}
          title={state.trajectory.outcome.kind === "running" ? "No action yet" : "No action"}
          text={
            state.trajectory.outcome.kind === "running"
              ? "The first agent is writing. Its action appears here by itself."
              : "This rollout ended before any agent acted."
          }
        />
      ) : (
        <Transcript state={state} page={page} viewport={viewport} />
      )}
    </>
  );
}

function Place(props: { icon: string; title: string; text: string; children?: preact.ComponentChildren }) {
  return (
    <div class="emptyPlace">
      <Icon name={props.icon} spins={props.icon === "loading"} />
      <h2>{props.title}</h2>
      <p>{props.text}</p>
      {props.children}
    </div>
  );
}

function LoadingPage() {
  return (
    <div class="loadingPage" role="status" aria-label="Loading the trajectory">
      <div class="skeleton">
        <div />
        <div />
        <div />
      </div>
    </div>
  );
}

function Help({ page }: { page: Page }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => page.send({ type: "help", isOpen: false });
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="help" aria-label="Keys of this page" onClose={close}>
      <h2>Keys</h2>
      <table>
        <tbody>
          {KEYS.map(({ keys, text }) => (
            <tr key={text}>
              <td>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </td>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet">
        All but Enter and Esc can be changed.{" "}
        <button type="button" class="linkButton" onClick={() => page.run("showKeybindings")}>
          Change the keys
        </button>
      </p>
      <button type="button" class="button isPrimary" onClick={close}>
        Close
      </button>
    </dialog>
  );
}
