import Foundation
package import SystemPackage

/// A program that a test runs, by `posix_spawn`.
///
/// Not by Foundation's `Process`: before it starts a program it lists `/proc/self/fd`, and it reads past the end of
/// that list when the test process has more than about 1,300 files open, which ends the whole run
/// (swift-corelibs-foundation, pull request 5472). `TidyTests` keeps it out.
package final class Child: Sendable {
    package struct Trouble: Error, CustomStringConvertible {
        package let description: String
    }

    /// What is given to a program, or taken from it.
    package enum Stream {
        /// /dev/null.
        case nothing
        /// Our own.
        case inherited
        /// A pipe; `Child.input`, `Child.output` or `Child.errors` is our end of it.
        case pipe
        /// For errors: where output goes.
        case output
    }

    package let identifier: Int32
    /// Our ends of the pipes that were asked for.
    package let input: FileDescriptor?
    package let output: FileDescriptor?
    package let errors: FileDescriptor?

    /// Starts `program`, a path or a name that PATH knows.
    package init(
        _ program: String, _ arguments: [String], directory: String? = nil, input: Stream = .nothing,
        output: Stream = .inherited, errors: Stream = .inherited
    ) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        var theirs: [FileDescriptor] = []
        defer { for end in theirs { try? end.close() } }
        func connect(_ stream: Stream, to number: Int32) throws -> FileDescriptor? {
            switch stream {
            case .inherited: return nil
            case .nothing:
                unsafe posix_spawn_file_actions_addopen(
                    &actions, number, "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
                return nil
            case .output:
                unsafe posix_spawn_file_actions_adddup2(&actions, 1, number)
                return nil
            case .pipe:
                let ends = try FileDescriptor.pipe(options: .closeOnExec)
                let (theirEnd, ourEnd) = number == 0 ? (ends.readEnd, ends.writeEnd) : (ends.writeEnd, ends.readEnd)
                theirs.append(theirEnd)
                unsafe posix_spawn_file_actions_adddup2(&actions, theirEnd.rawValue, number)
                return ourEnd
            }
        }
        self.input = try connect(input, to: 0)
        self.output = try connect(output, to: 1)
        self.errors = try connect(errors, to: 2)
        let command = (directory.map { ["env", "--chdir=\($0)"] } ?? []) + [program] + arguments
        let words = unsafe command.map { unsafe strdup($0) }
        defer { unsafe words.forEach { unsafe free($0) } }
        // The threads that tests run on let hardly any signal through, and a program inherits that.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var nothingBlocked = sigset_t()
        unsafe sigemptyset(&nothingBlocked)
        unsafe posix_spawnattr_setsigmask(&attributes, &nothingBlocked)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var spawned: pid_t = 0
        let failure = unsafe posix_spawnp(&spawned, command[0], &actions, &attributes, words + [nil], environ)
        identifier = spawned
        guard failure == 0 else {
            for end in [self.input, self.output, self.errors] { try? end?.close() }
            throw Trouble(description: "\(program) cannot be started: \(Errno(rawValue: failure))")
        }
    }

    /// Waits for its end. Its exit code, or the negative number of the signal that ended it.
    @discardableResult
    package func wait() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
    }

    /// Runs a program to its end and answers with what it printed, errors among the rest.
    ///
    /// - Parameter inputStays: for programs that end when their input does: it is not closed before they have ended.
    /// - Throws: `Trouble`, with all it printed, if its exit code is not among `statuses`.
    @discardableResult
    package static func run(
        _ program: String, _ arguments: [String], input: String = "", inputStays: Bool = false,
        directory: String? = nil, statuses: Set<Int32> = [0]
    ) throws -> String {
        let child = try Child(
            program, arguments, directory: directory, input: input.isEmpty ? .nothing : .pipe, output: .pipe,
            errors: .output)
        // A program that ends without reading all of it is no failure of ours. Short enough for a pipe.
        _ = try? child.input?.writeAll(Array(input.utf8))
        if !inputStays { try? child.input?.close() }
        defer { if inputStays { try? child.input?.close() } }
        let text = try child.output?.drained() ?? ""
        let status = child.wait()
        guard statuses.contains(status) else {
            throw Trouble(description: "\(program) \(arguments) ended with \(status): \(text)")
        }
        return text
    }
}

extension FileDescriptor {
    /// The text that comes up to the end. Closes it.
    package func drained() throws -> String {
        try closeAfter {
            var all: [UInt8] = []
            while case let some = try readSome(), !some.isEmpty { all += some }
            return String(decoding: all, as: UTF8.self)
        }
    }

    /// What is there, or comes next; nothing at the end.
    package func readSome(upTo count: Int = 65_536) throws -> [UInt8] {
        try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try unsafe read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
