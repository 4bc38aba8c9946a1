// The supervisor that runs inside the sandbox: it starts the program under limits, watches it, and reports what it left.

/**
 * Python text. It reads from stdin: a line of numbers (program bytes, wall ms, CPU s, memory, processes, file
 * bytes, number of input files), the program, then each input file as a line `<bytes> <name as hex>` and its bytes.
 * It writes its report as lines to descriptor 3: `ready` at once, then `file <bytes> <sha256> <name as hex>`, then `end <wait status> <reason>`.
 * It imports only what is built in, so that a small program costs little more than the start of Python.
 */
export const RUNNER = String.raw`
import sys, posix, _signal, time

def read_exactly(count):
    parts = []
    while count > 0:
        part = posix.read(0, min(count, 1 << 20))
        if not part: posix._exit(70)
        parts.append(part)
        count -= len(part)
    return b"".join(parts)

def read_line():
    line = b""
    while not line.endswith(b"\n"): line += read_exactly(1)
    return line.split()

def write_file(path, content):
    descriptor = posix.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW, 0o644)
    while content: content = content[posix.write(descriptor, content):]
    posix.close(descriptor)

posix.write(3, b"ready\n")
size, wall_ms, cpu_s, memory, processes, file_size, file_count = map(int, read_line())
program = read_exactly(size)
for _ in range(file_count):
    length, name = read_line()
    write_file(b"/work/" + bytes.fromhex(name.decode()), read_exactly(int(length)))
write_file(b"/tmp/main.py", program)

_signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGCHLD])
child = posix.fork()
if child == 0:
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGCHLD])
    posix.close(3)
    null = posix.open("/dev/null", posix.O_RDONLY)
    posix.dup2(null, 0)
    posix.close(null)
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    for kind, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_NPROC, processes + 3),
                        (resource.RLIMIT_FSIZE, file_size), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 256)):
        resource.setrlimit(kind, (value, value))
    if b"import" in program:
        import site
        site.main()
    import builtins
    for name in ("exit", "quit"):
        if not hasattr(builtins, name): setattr(builtins, name, sys.exit)
    def show(kind, error, traceback):
        inner = traceback
        while inner is not None and inner.tb_frame.f_code.co_filename in ("<string>", "supervisor"): inner = inner.tb_next
        sys.__excepthook__(kind, error.with_traceback(inner), inner)
    sys.excepthook = show
    sys.argv = ["main.py"]
    sys.path.insert(0, "/work")
    main = type(sys)("__main__")
    main.__file__ = "/tmp/main.py"
    main.__builtins__ = builtins
    sys.modules["__main__"] = main
    # Taking the interpreter down costs as much as a small program; what imports and opens nothing has nothing to take down.
    is_small = b"import" not in program and b"open" not in program and b"__" not in program
    try:
        exec(compile(program, "/tmp/main.py", "exec", 0, True), main.__dict__)
    except BaseException as error:
        if not is_small or not isinstance(error, Exception): raise
        show(type(error), error, error.__traceback__)
        is_failed = True
    else:
        is_failed = False
    if is_small:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            posix._exit(1 if is_failed else 0)
else:
    def resident():
        total = 0
        for entry in posix.listdir("/proc"):
            if entry.isdigit() and int(entry) != own:
                try:
                    descriptor = posix.open("/proc/" + entry + "/statm", posix.O_RDONLY)
                    fields = posix.read(descriptor, 200).split()
                    posix.close(descriptor)
                    total += (int(fields[1]) - int(fields[2])) * page
                except OSError:
                    pass
        for path in ("/work", "/tmp", "/dev/shm"):
            space = posix.statvfs(path)
            total += (space.f_blocks - space.f_bfree) * space.f_frsize
        return total
    def end_all():
        try:
            posix.kill(-1, _signal.SIGKILL)
        except OSError:
            pass
    own = posix.getpid()
    page = posix.sysconf("SC_PAGE_SIZE")
    deadline = time.monotonic() + wall_ms / 1000
    reason = "exit"
    status = None
    while True:
        done, found = posix.waitpid(-1, posix.WNOHANG)
        if done == child:
            status = found
            break
        if done: continue
        left = deadline - time.monotonic()
        if left > 0 and _signal.sigtimedwait([_signal.SIGCHLD], min(left, 0.1)) is not None: continue
        if left <= 0: reason = "timeout"
        elif resident() > memory: reason = "memory"
        if reason != "exit":
            end_all()
            _, status = posix.waitpid(child, 0)
            break
    end_all()
    def digest(descriptor):
        try:
            from _sha256 import sha256
        except ImportError:
            try:
                from _sha2 import sha256
            except ImportError:
                from hashlib import sha256
        total = sha256()
        count = 0
        while True:
            part = posix.read(descriptor, 1 << 20)
            if not part: return count, total.hexdigest()
            count += len(part)
            total.update(part)
    lines = []
    def collect(folder, depth):
        for entry in posix.scandir(folder):
            if len(lines) >= 1000: return
            path = entry.path
            if entry.is_symlink(): continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    if depth < 8: collect(path, depth + 1)
                elif entry.is_file(follow_symlinks=False):
                    descriptor = posix.open(path, posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK)
                    count, hexdigest = digest(descriptor)
                    posix.close(descriptor)
                    lines.append("file %d %s %s\n" % (count, hexdigest, path[len(b"/work/"):].hex()))
            except OSError:
                pass
    try:
        collect(b"/work", 0)
    except OSError:
        pass
    lines.append("end %d %s\n" % (status, reason))
    report = "".join(lines).encode()
    while report: report = report[posix.write(3, report):]
    posix._exit(0)
`;

/** Program for `python3 -c` that turns the supervisor (its stdin) into bytecode in hex: to compile it each time would cost as much as a small program. */
export const COMPILE_RUNNER =
  "import sys, marshal; sys.stdout.write(marshal.dumps(compile(sys.stdin.read(), 'supervisor', 'exec')).hex())";

/** Program for `python3 -c` that runs the supervisor from its bytecode in hex. */
export function runnerFrom(bytecode: string): string {
  return `import marshal; exec(marshal.loads(bytes.fromhex("${bytecode}")))`;
}
