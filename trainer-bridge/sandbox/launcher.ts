// Finds the command line under which a program can be shut in on this machine, or the reason why none works.
import { spawn } from "node:child_process";
import { existsSync, lstatSync, readlinkSync } from "node:fs";
import path from "node:path";
import { hostName } from "./orphans.ts";
import { COMPILE_RUNNER, RUNNER, runnerFrom } from "./runner.ts";

/** A command, and the account to start it under where that is not the bridge's own. */
export interface Command {
  readonly file: string;
  readonly args: string[];
  readonly account: { uid?: number; gid?: number };
}

/** The command for a workspace of `diskBytes`. */
export interface Launcher {
  readonly python: string;
  command(diskBytes: number): Command;
}

/** A launcher that was tried and works, or null with what to do. */
export interface FoundLauncher {
  readonly launcher: Launcher | null;
  readonly message: string;
}

/** An unprivileged account, so that the limit on processes holds when the bridge runs as root. */
const NOBODY = 65534;

/** Tries every way that this machine may offer, the most confined first. */
export async function findLauncher(): Promise<FoundLauncher> {
  if (process.platform !== "linux") {
    return refused(
      `Bubblewrap runs on Linux only, this is ${process.platform}.`,
      "Run the trainer-bridge on Linux, in WSL 2 or in a container.",
    );
  }
  const bwrap = findProgram("bwrap");
  if (bwrap === null)
    return refused(
      "bubblewrap (bwrap) is not installed.",
      "Install it: `sudo apt install bubblewrap`, or your system's package of that name.",
    );
  const pythons = await findPythons();
  if (pythons.length === 0) return refused("No python3 was found.", "Install Python 3.8 or later.");
  const failures: string[] = [];
  for (const python of pythons) {
    for (const way of ways(bwrap)) {
      const launcher: Launcher = { python: python.file, command: (diskBytes) => commandOf(way, python, diskBytes) };
      const failure = await probe(launcher);
      if (failure === null) return { launcher, message: `Python (${python.file}) runs in bubblewrap, ${way.name}.` };
      failures.push(`${way.name}, ${python.file}: ${failure}`);
    }
  }
  return refused(
    `bubblewrap is installed but cannot run here (${[...new Set(failures)].join("; ")}).`,
    remedy(failures.join(" ")),
  );
}

function refused(what: string, remedyText: string): FoundLauncher {
  return {
    launcher: null,
    message: `Model-written code is not run: ${what} ${remedyText} Reading and scoring go on without it.`,
  };
}

function remedy(failures: string): string {
  const ubuntu =
    "On Ubuntu 23.10 and later AppArmor forbids it: allow bwrap with `sudo apt install apparmor-profiles && sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && sudo systemctl reload apparmor`.";
  const docker =
    "In Docker the default seccomp profile forbids it: start the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`, or run the bridge on the host.";
  const sysctl =
    "Elsewhere check that user namespaces are allowed: `sysctl kernel.unprivileged_userns_clone user.max_user_namespaces`.";
  if (existsSync("/.dockerenv") || /seccomp/i.test(failures)) return `${docker} ${ubuntu}`;
  return `${ubuntu} ${docker} ${sysctl}`;
}

/** One way to give up privileges; `inside` comes in front of Python. */
interface Way {
  readonly name: string;
  readonly bwrap: string;
  readonly account: { uid?: number; gid?: number };
  readonly flags: readonly string[];
  readonly inside: readonly string[];
}

function ways(bwrap: string): Way[] {
  const userns = [
    "--unshare-user",
    "--disable-userns",
    "--uid",
    String(NOBODY),
    "--gid",
    String(NOBODY),
    "--cap-drop",
    "ALL",
  ];
  const olderUserns = userns.filter((flag) => flag !== "--disable-userns");
  if (process.getuid?.() !== 0) {
    return [
      { name: "as this user in a user namespace", bwrap, account: {}, flags: userns, inside: [] },
      {
        name: "as this user in a user namespace of an older bubblewrap",
        bwrap,
        account: {},
        flags: olderUserns,
        inside: [],
      },
    ];
  }
  const account = { uid: NOBODY, gid: NOBODY };
  const found: Way[] = [
    { name: "as nobody in a user namespace", bwrap, account, flags: userns, inside: [] },
    { name: "as nobody in a user namespace of an older bubblewrap", bwrap, account, flags: olderUserns, inside: [] },
  ];
  const setpriv = findProgram("setpriv");
  if (setpriv === null) return found;
  const drop = [setpriv, "--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups", "--inh-caps=-all"];
  const caps = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"];
  const inside = [...drop, "--bounding-set=-all", "--no-new-privs"];
  return [...found, { name: "as nobody, set up by root", bwrap, account: {}, flags: caps, inside }];
}

interface Python {
  readonly file: string;
  /** Folders to show read-only besides the system's. */
  readonly folders: readonly string[];
  /** The supervisor as an argument of `-c`, compiled by this very Python. */
  readonly supervisor: string;
}

function commandOf(way: Way, python: Python, diskBytes: number): Command {
  const size = (bytes: number): string[] => ["--size", String(bytes)];
  const args = [
    ...["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", ...way.flags],
    ...["--die-with-parent", "--new-session", "--clearenv", "--hostname", hostName(process.pid)],
    ...systemMounts(),
    ...["--proc", "/proc", "--dev", "/dev", ...size(16 * 1024 * 1024), "--tmpfs", "/dev/shm"],
    ...[
      ...size(diskBytes),
      "--perms",
      "1777",
      "--tmpfs",
      "/tmp",
      ...size(diskBytes),
      "--perms",
      "1777",
      "--tmpfs",
      "/work",
    ],
    ...python.folders.flatMap((folder) => ["--ro-bind", folder, folder]),
    // The root and /dev are memory-backed too and have no size of their own.
    ...["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/work"],
    ...environment.flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--", ...way.inside, python.file, "-I", "-S", "-B", "-X", "utf8", "-c", python.supervisor],
  ];
  return { file: way.bwrap, args, account: way.account };
}

const environment: readonly (readonly [string, string])[] = [
  ["PATH", "/usr/local/bin:/usr/bin:/bin"],
  ["HOME", "/work"],
  ["LANG", "C.UTF-8"],
  ["OMP_NUM_THREADS", "1"],
  ["OPENBLAS_NUM_THREADS", "1"],
  ["MPLBACKEND", "Agg"],
];

/** The system read-only: /usr, the links that lead into it, and the few files of /etc that programs need. */
function systemMounts(): string[] {
  const mounts = ["--ro-bind", "/usr", "/usr"];
  for (const folder of ["/bin", "/sbin", "/lib", "/lib32", "/lib64"]) {
    const entry = lstatSync(folder, { throwIfNoEntry: false });
    if (entry?.isSymbolicLink()) mounts.push("--symlink", readlinkSync(folder), folder);
    else if (entry?.isDirectory()) mounts.push("--ro-bind", folder, folder);
  }
  for (const file of ["/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime"]) {
    mounts.push("--ro-bind-try", file, file);
  }
  return mounts;
}

function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/bin", "/usr/local/bin", "/bin"];
  const found = folders
    .filter((folder) => folder !== "")
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));
  return found ?? null;
}

/** The system's Python first: it can be read by everybody and is under /usr, which is shown anyway. */
async function findPythons(): Promise<Python[]> {
  const files = ["/usr/bin/python3", "/usr/local/bin/python3", findProgram("python3")];
  const pythons: Python[] = [];
  for (const file of new Set(files)) {
    if (file === null || !existsSync(file)) continue;
    const compiled = await output(file, ["-I", "-S", "-B", "-c", COMPILE_RUNNER], RUNNER);
    const asked = await output(file, [
      "-I",
      "-S",
      "-B",
      "-c",
      "import sys; print(sys.base_prefix); print(sys.base_exec_prefix)",
    ]);
    if (compiled.code !== 0 || asked.code !== 0 || !/^[0-9a-f]+$/.test(compiled.stdout)) continue;
    const supervisor = runnerFrom(compiled.stdout);
    const [prefix = "", execPrefix = ""] = asked.stdout.split("\n");
    if (file.startsWith("/usr/")) pythons.push({ file, folders: [], supervisor });
    else if (path.isAbsolute(prefix) && prefix !== "/") {
      // The program on the path may be a link or a shim that leads out of what the sandbox shows.
      const isShown = (folder: string): boolean => folder === "/usr" || folder.startsWith("/usr/");
      const folders = [...new Set([prefix, execPrefix])].filter(
        (folder) => path.isAbsolute(folder) && !isShown(folder),
      );
      pythons.push({ file: path.join(prefix, "bin", "python3"), folders, supervisor });
    }
  }
  return pythons;
}

/** Runs a one-line program the way every program is run; null when it works, else the first line of what went wrong. */
async function probe(launcher: Launcher): Promise<string | null> {
  const { file, args, account } = launcher.command(1024 * 1024);
  const program = "print(6 * 7)";
  const ended = await output(file, args, `${program.length} 5000 5 1073741824 16 65536 0\n${program}`, account);
  if (ended.code === 0 && ended.stdout.trim() === "42") return null;
  return (
    ended.stderr.trim().split("\n")[0] || `exit ${ended.code}, printed ${JSON.stringify(ended.stdout.slice(0, 40))}`
  );
}

function output(
  file: string,
  args: readonly string[],
  input = "",
  account: Command["account"] = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      ...account,
      cwd: "/",
      timeout: 15_000,
      killSignal: "SIGKILL",
    });
    const said = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      said.stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      said.stderr += chunk.toString();
    });
    const report = child.stdio[3];
    if (report !== null && report !== undefined && "resume" in report) report.resume();
    child.stdin.on("error", () => {});
    child.on("error", (error) => resolve({ code: null, stdout: "", stderr: error.message }));
    child.on("close", (code) => resolve({ code, ...said }));
    child.stdin.end(input);
  });
}
