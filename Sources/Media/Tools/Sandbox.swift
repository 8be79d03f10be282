/// What tools may see and do beside their limits.
///
/// ```
/// rlimits   the node's own view of the machine, with limits of the kernel
/// bwrap     a view of its own: the system's programs, the files of this very run, and nothing else; no network, no
///           other processes, system calls that no decoder needs refused
/// ```
package struct Sandbox: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable { case bwrap, rlimits }

    package let kind: Kind
    /// As whom tools run where the node is root; nil: as whom the node runs.
    package let user: UInt32?
    let filter: SystemCallFilter?

    package init(_ kind: Kind, user: UInt32? = nil) {
        self.kind = kind
        self.user = user
        filter = kind == .bwrap ? SystemCallFilter() : nil
    }

    /// Processes and threads of one tool, in a view of its own. A tool uses a few dozen; without a bound one that was
    /// taken over stops the machine.
    static let processesMax = 512
    /// Open files of one tool.
    static let filesMax = 256
    /// What it may write to its own `/tmp`, which is memory.
    static let temporaryBytesMax = 64 << 20

    /// The arguments of `setpriv` that start `tool`.
    ///
    /// First stands a shell, the guardian: the kernel tells it of the node's death, and it takes its whole process
    /// group along. A death signal of the tool alone is not enough. It is forgotten when the user changes, it does not
    /// reach what `bwrap` has forked and not yet bound to itself, and a node that died before it was asked for is never
    /// told of: of nodes killed while they started a tool one in ten left it behind.
    /// - Parameter node: whose death ends the tool.
    package func arguments(
        for command: ToolCommand, tool: String, programs: Programs, extra reads: [String], node: Int32
    ) -> [String] {
        var arguments = ["--pdeathsig", "USR1", "--no-new-privs", "--", programs.shell, "-c", Self.guardian]
        arguments += ["\(node)", filter?.path ?? "/dev/null"]
        // The group stays: through it the files of the node can be read where they are shown.
        let person = user.map { ["--reuid=\($0)", "--clear-groups", "--inh-caps=-all"] } ?? []
        // Should the guardian itself be killed.
        arguments += [programs.person, "--pdeathsig", "KILL", "--no-new-privs"] + person + ["--"]
        if kind == .bwrap {
            arguments += [programs.bwrap] + view(of: command, tool: tool, extra: reads)
            if filter != nil { arguments += ["--seccomp", "3"] }
            arguments.append("--")
        }
        return arguments + limits(of: command, programs: programs) + ["--", tool] + command.arguments
    }

    /// `$0` is the node: when it is not the parent any more, its death came before the request to be told of it. The
    /// filter, `$1`, is opened here, because the tool's user may not look into the node's part of `/proc`.
    private static let guardian = """
        trap 'kill -KILL 0' USR1; [ "$PPID" = "$0" ] || exit 125; filter=$1; shift; "$@" 3<"$filter" & wait $!
        """

    /// Processes that stand before the tool and wait for it.
    var processesBefore: Int { kind == .bwrap ? 2 : 1 }

    /// The programs that stand before a tool.
    package struct Programs: Sendable, Hashable {
        var person: String
        var limiter: String
        var shell: String
        /// Needed by `bwrap` alone.
        var bwrap = ""

        package init(person: String, limiter: String, shell: String, bwrap: String = "") {
            self.person = person
            self.limiter = limiter
            self.shell = shell
            self.bwrap = bwrap
        }
    }

    private func limits(of command: ToolCommand, programs: Programs) -> [String] {
        let limits = command.limits
        var arguments = [
            programs.limiter, "--core=0", "--as=\(limits.memoryBytes)", "--fsize=\(limits.fileBytesMax)",
            "--nofile=\(Self.filesMax)",
        ]
        // Only in a view of its own: elsewhere the kernel counts everything that the node's user runs.
        if kind == .bwrap { arguments.append("--nproc=\(Self.processesMax)") }
        if let seconds = limits.cpuSeconds {
            // One second more until the hard limit, so that the tool dies of SIGXCPU and can be told from a killed one.
            arguments.append("--cpu=\(seconds):\(seconds + 1)")
        }
        return arguments
    }

    /// What it sees. Later lines lie over earlier ones: what is read stands inside a folder that is written.
    private func view(of command: ToolCommand, tool: String, extra reads: [String]) -> [String] {
        var view = [
            "--unshare-all", "--die-with-parent", "--as-pid-1", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr",
        ]
        func show(_ option: String, _ path: String) { view += [option, path, path] }
        for path in Self.system { show("--ro-bind-try", path) }
        view += ["--size", "\(Self.temporaryBytesMax)", "--tmpfs", "/tmp", "--dev", "/dev"]
        // fontconfig keeps its cache there.
        view += ["--setenv", "HOME", "/tmp"]
        if !tool.hasPrefix("/usr/") { show("--ro-bind", Self.folder(of: tool)) }
        for folder in command.writtenFolders { show("--bind", folder) }
        for path in reads + command.readFiles { show("--ro-bind-try", path) }
        // What lies under all that is memory as well, and without a bound.
        return view + ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", command.workingDirectory ?? "/"]
    }

    /// Libraries and fonts. Of `/etc` nothing else is there: no names of users, no keys, no configuration.
    private static let system = [
        "/bin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache", "/etc/fonts",
        "/var/cache/fontconfig",
    ]

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}

extension ToolCommand {
    /// Files that it reads: what stands behind `-i` with the mark of a plain file (`FFmpeg.input`).
    var readFiles: [String] {
        zip(arguments, arguments.dropFirst()).compactMap { $0 == "-i" ? Self.plainPath($1) : nil }
    }

    /// Folders that it writes to: those of its outputs, and where it works. Filters find their files there too.
    var writtenFolders: [String] {
        var folders = workingDirectory.map { [$0] } ?? []
        for (index, argument) in arguments.enumerated() where index == 0 || arguments[index - 1] != "-i" {
            guard let path = Self.plainPath(argument) else { continue }
            let folder = Sandbox.folder(of: path)
            if !folders.contains(folder) { folders.append(folder) }
        }
        return folders
    }

    private static func plainPath(_ argument: String) -> String? {
        argument.hasPrefix("file:/") ? String(argument.dropFirst(5)) : nil
    }
}
