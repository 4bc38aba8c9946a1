"""Starts the engine: `python -m touchline_engine --base MODEL_FOLDER --state-dir FOLDER`.

Prints one line {"event": "listening", "port": N} on stdout and nothing else there; all other text goes to stderr.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import threading
import traceback
from pathlib import Path

EXIT_SECONDS = 3  # after this, replies still on their way are given up; what was answered is on disk
KEEP_ALIVE_SECONDS = 300  # longer than clients keep idle connections, so that none is closed under a request
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def default_threads() -> int:
    """All cores, up to 8; they sleep while they wait (`sleep_while_waiting`), so others may use the cores too."""
    return max(1, min(8, os.cpu_count() or 1))


def sleep_while_waiting() -> None:
    """Threads of OpenMP spin while they wait, which makes two of them on two busy cores ten times slower than one.

    Read when torch is loaded, so this comes before.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="touchline_engine", description="Samples from policies and trains them.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--state-dir", type=Path, required=True, help="checkpoints and versions are kept here")
    parser.add_argument("--base", type=Path, required=True, help="a Hugging Face model folder")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=default_threads(), help="CPU threads; keep it for exact replays")
    parser.add_argument("--exit-with-parent", action="store_true", help="exit when stdin closes")
    parser.add_argument("--allow-remote", action="store_true", help="allow a host other than loopback")
    options = parser.parse_args()
    if options.host not in LOOPBACK and not options.allow_remote:
        parser.error(f"{options.host} is not loopback; add --allow-remote, and set TOUCHLINE_ENGINE_TOKEN")
    return options


def watch_parent(stop: threading.Event) -> None:
    """Waits for stdin to close, which it does when the parent dies."""
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


async def serve(options: argparse.Namespace) -> None:
    """Listens, announces the port, and serves until told to stop."""
    import uvicorn

    from touchline_engine.compute import Compute
    from touchline_engine.server import build_app

    announce = sys.stdout
    sys.stdout = sys.stderr
    compute = Compute(options.base.resolve(), options.state_dir.resolve(), options.device, options.threads)
    config = uvicorn.Config(
        build_app(compute),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=EXIT_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = uvicorn.Server(config)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.create_server((options.host, options.port), family=family, backlog=512)
    stop = threading.Event()
    if options.exit_with_parent:
        threading.Thread(target=watch_parent, args=(stop,), daemon=True).start()
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    print(json.dumps({"event": "listening", "port": listener.getsockname()[1]}), file=announce, flush=True)
    compute.start()
    while not serving.done():
        if stop.is_set():
            server.should_exit = True
        await asyncio.wait([serving], timeout=0.1)
    await serving


def main() -> None:
    """Runs the engine; leaves without waiting for the compute thread, as every acknowledged command is durable."""
    sleep_while_waiting()
    options = parse_options()
    code = 0
    try:
        asyncio.run(serve(options))
    except KeyboardInterrupt:
        pass
    except Exception:
        traceback.print_exc(file=sys.stderr)
        code = 1
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
