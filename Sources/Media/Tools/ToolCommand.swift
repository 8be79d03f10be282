/// The programs that this module starts.
package enum Tool: String, Sendable, Hashable, CaseIterable { case ffmpeg, ffprobe }

/// One run of a tool: what is asked and what it may use.
package struct ToolCommand: Sendable, Hashable {
    package var executable: Tool
    package var arguments: [String]
    package var limits: ToolLimits
    /// Nil: the directory of this process. Tools get absolute paths, so it matters to filters that open files only.
    package var workingDirectory: String?

    package init(_ executable: Tool, _ arguments: [String], limits: ToolLimits, workingDirectory: String? = nil) {
        self.executable = executable
        self.arguments = arguments
        self.limits = limits
        self.workingDirectory = workingDirectory
    }
}

/// What one run of a tool may use. Passing any of them ends it.
package struct ToolLimits: Sendable, Hashable {
    /// By the toolbox's clock; the whole process group is killed.
    package var wallSeconds: Double
    /// Without computing, reading or saying anything, though nobody keeps it waiting; then the group is killed.
    /// Nil: the wall limit is enough.
    package var silenceSeconds: Double?
    /// Of all threads together (RLIMIT_CPU). Nil: the wall limit is enough.
    package var cpuSeconds: Int?
    /// Address space (RLIMIT_AS).
    package var memoryBytes: Int
    /// Of captured standard output. Streams are not captured: there it bounds one line.
    package var outputBytesMax: Int
    /// How much of the end of standard error is kept. The rest is read and dropped.
    package var errorBytesMax: Int
    /// Of each file that it writes (RLIMIT_FSIZE).
    package var fileBytesMax: Int

    package init(
        wallSeconds: Double, silenceSeconds: Double? = nil, cpuSeconds: Int? = nil, memoryBytes: Int,
        outputBytesMax: Int = 4 << 20, errorBytesMax: Int = 16 << 10, fileBytesMax: Int = 16 << 30
    ) {
        precondition(wallSeconds > 0, "wallSeconds is \(wallSeconds)")
        precondition(silenceSeconds ?? 1 > 0, "silenceSeconds is \(silenceSeconds ?? 0)")
        precondition(memoryBytes > 0, "memoryBytes is \(memoryBytes)")
        precondition(outputBytesMax >= 0 && errorBytesMax >= 0, "negative output limit")
        self.wallSeconds = wallSeconds
        self.silenceSeconds = silenceSeconds
        self.cpuSeconds = cpuSeconds
        self.memoryBytes = memoryBytes
        self.outputBytesMax = outputBytesMax
        self.errorBytesMax = errorBytesMax
        self.fileBytesMax = fileBytesMax
    }
}

/// How a tool ended and what it said. A tool that ends badly is a value; `checked()` makes it an error.
package struct ToolOutput: Sendable, Hashable {
    package enum Ending: Sendable, Hashable {
        case exited(code: Int32)
        case signalled(Int32)
    }

    package var ending: Ending
    /// Empty when it was handed on as lines or blocks.
    package var standardOutput: [UInt8]
    package var errorTail: String

    package init(ending: Ending, standardOutput: [UInt8] = [], errorTail: String = "") {
        self.ending = ending
        self.standardOutput = standardOutput
        self.errorTail = errorTail
    }

    package var succeeded: Bool { ending == .exited(code: 0) && !Self.spoiled.contains { errorTail.contains($0) } }

    /// How ffmpeg says that its file is not whole, and ends with success all the same: it does so when only the last
    /// bytes did not fit on the disk.
    private static let spoiled = ["Error writing trailer of", "Error closing file", "No space left on device"]

    /// Itself when the tool succeeded; else an error that says why as far as its ending and its last words tell.
    ///
    /// `otherwise` is the code for "it simply failed": only the caller knows what the tool was doing.
    package func checked(otherwise code: MediaError.Code = .toolFailed) throws(MediaError) -> ToolOutput {
        if let error = error(otherwise: code) { throw error }
        return self
    }

    /// What `checked` would throw; nil when the tool succeeded.
    package func error(otherwise code: MediaError.Code = .toolFailed) -> MediaError? {
        succeeded ? nil : MediaError(errorCode(otherwise: code), "\(ending): \(errorTail.suffix(1000))")
    }

    private func errorCode(otherwise code: MediaError.Code) -> MediaError.Code {
        let (killed, cpuTimeUsedUp): (Int32, Int32) = (9, 24)
        if errorTail.contains("No space left on device") { return .diskFull }
        // "Codec (snow) not on whitelist"; formats and protocols are spoken of without brackets.
        if errorTail.contains(") not on whitelist") { return .codecRefused }
        switch ending {
        case .signalled(cpuTimeUsedUp): return .cpuLimit
        case .signalled(killed): return .toolKilled
        case .signalled, .exited: return Self.starved.contains { errorTail.contains($0) } ? .memoryLimit : code
        }
    }

    /// How ffmpeg, its libraries and the loader say that RLIMIT_AS was reached.
    private static let starved = [
        "Cannot allocate memory", "std::bad_alloc", "malloc of size", "Resource temporarily unavailable",
        "failed to map segment from shared object",
    ]
}
