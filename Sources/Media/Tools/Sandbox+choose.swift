import ClipModel

extension Sandbox {
    /// What the operator wants.
    package enum Wish: String, Sendable, Hashable, CaseIterable {
        /// The tightest that works here.
        case auto
        /// That one, or the node does not start.
        case bwrap, rlimits
    }

    /// A sandbox that was tried on this machine, and why none that is tighter was taken.
    package struct Choice: Sendable {
        package let sandbox: Sandbox
        package let objections: [String]
    }

    /// Runs real tools in each kind, the tightest first, until one does all that it must and none of what it must not.
    /// - Parameters:
    ///   - directory: on the disk of the blobs, because that is what tools work on. It must be empty.
    ///   - user: as whom tools run where the node is root; nil: nowhere.
    package static func choose(
        _ wish: Wish, for media: MediaConfiguration, in directory: String, user: UInt32?,
        clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> Choice {
        let kinds: [Kind] =
            switch wish {
            case .auto: [.bwrap, .rlimits]
            case .bwrap: [.bwrap]
            case .rlimits: [.rlimits]
            }
        // Another user first: what breaks out of a view is then still nobody.
        let users: [UInt32?] = user == nil ? [nil] : [user, nil]
        var objections: [String] = []
        for sandbox in kinds.flatMap({ kind in users.map { Sandbox(kind, user: $0) } }) {
            let objection = try await objection(to: sandbox, media, directory, clock)
            guard let objection else { return Choice(sandbox: sandbox, objections: objections) }
            let person = sandbox.user.map { " as user \($0)" } ?? ""
            objections.append("\(sandbox.kind.rawValue)\(person): \(objection)")
        }
        throw Failure(
            .resource, code: "sandbox_unusable",
            reason: "Media tools cannot be run as sandbox.kind asks: \(objections.joined(separator: "; ")).",
            hint: wish == .bwrap
                ? "Install bubblewrap and allow user namespaces, or choose another sandbox.kind."
                : "Run tools.ffmpeg by hand, as the node's user and in the folder of its blobs.")
    }

    /// Why this one cannot be used here; nil when it can.
    private static func objection(
        to sandbox: Sandbox, _ media: MediaConfiguration, _ directory: String, _ clock: any Clock<Duration>
    ) async throws -> String? {
        if sandbox.kind == .bwrap, sandbox.filter == nil { return "no filter of system calls for this processor" }
        var media = media
        media.sandbox = sandbox
        let toolbox = Toolbox(media, clock: clock)
        let sound = directory + "/probe.wav"
        let limits = ToolLimits(wallSeconds: 20, memoryBytes: media.childMemoryBytesMax)
        let silence = ["-f", "lavfi", "-i", "anullsrc=sample_rate=8000", "-t", "0.1", "-f", "wav", "file:" + sound]
        let write = ToolCommand(.ffmpeg, FFmpeg.leading + silence, limits: limits)
        let read = ToolCommand(.ffprobe, FFmpeg.probeLeading + FFmpeg.input(sound), limits: limits)
        // Named without the mark that shows a file to a tool.
        let peek = ToolCommand(.ffprobe, FFmpeg.probeLeading + ["-f", "data", "-i", "/etc/passwd"], limits: limits)
        do {
            if let objection = try await inability(to: "write", write, toolbox) { return objection }
            if let objection = try await inability(to: "read", read, toolbox) { return objection }
            let isOpen = sandbox.kind == .bwrap ? try await toolbox.run(peek).succeeded : false
            return isOpen ? "a tool sees files of others" : nil
        } catch {
            if error.code == .cancelled { throw error }
            return "\(error)"
        }
    }

    private static func inability(
        to what: String, _ command: ToolCommand, _ toolbox: Toolbox
    ) async throws(MediaError) -> String? {
        let output = try await toolbox.run(command)
        return output.succeeded ? nil : "a tool cannot \(what): \(output.errorTail.suffix(300))"
    }
}
