package import Blobs
package import ClipModel
package import Media

/// What every stage of a node works with.
package struct StageTools: Sendable {
    package let toolbox: Toolbox
    package let transcriber: any Transcriber
    package let blobs: any BlobStore
    package let versions: ToolVersions
    /// Nil: uploads are not scanned for malware.
    package let gate: UploadGate?
    /// Nil: moments come in our own order.
    package let reranker: Reranker?

    package init(
        toolbox: Toolbox, transcriber: any Transcriber, blobs: any BlobStore, versions: ToolVersions,
        gate: UploadGate? = nil, reranker: Reranker? = nil
    ) {
        self.toolbox = toolbox
        self.transcriber = transcriber
        self.blobs = blobs
        self.versions = versions
        self.gate = gate
        self.reranker = reranker
    }
}

/// One try at a stage, under one lease. Its blobs carry its epoch in their names, so that two tries never write to the
/// same place and only the one that is published counts.
package struct StageAttempt: Sendable, Hashable {
    package let job: JobID
    package let key: StageKey
    package let epoch: Int

    package init(job: JobID, key: StageKey, epoch: Int) {
        self.job = job
        self.key = key
        self.epoch = epoch
    }

    /// Where all blobs of this attempt stand.
    package var prefix: BlobName { BlobName("\(Self.prefix(of: job))/\(key.name.rawValue)-\(key.index)/\(epoch)")! }

    package func blobName(_ file: String) -> BlobName { BlobName("\(prefix)/\(file)")! }

    /// Where the blobs of all attempts of a job stand.
    package static func prefix(of job: JobID) -> BlobName { BlobName("\(root)/\(job.ulid)")! }

    /// Where the blobs of all jobs stand.
    package static let root = BlobName("results")!

    /// The attempt that made a blob, or nil when `name` is not one of a stage.
    package init?(owning name: BlobName) {
        let parts = name.rawValue.split(separator: "/")
        guard parts.count == 5, parts[0] == "results", let job = JobID("job_" + parts[1]) else { return nil }
        let stage = parts[2].split(separator: "-")
        guard stage.count == 2, let stageName = StageName(rawValue: String(stage[0])), let index = Int(stage[1]),
            index >= 0, let epoch = Int(parts[3])
        else { return nil }
        self.init(job: job, key: StageKey(stageName, index), epoch: epoch)
    }
}

/// One running attempt: its inputs, its tools, its room on the disk and its share of the machine.
package struct StageContext: Sendable {
    package let inputs: StageInputs
    package let tools: StageTools
    package let attempt: StageAttempt
    /// A directory of its own, on this machine's disk.
    package let scratch: String
    /// How many threads its tools may use together.
    package let threads: Int
    /// The time of day when the attempt began.
    package let startedAt: Timestamp
    /// Where it is added up what the attempt takes.
    package let effort: EffortMeter
    /// Takes a share of the work done, 0 to 1.
    package let progress: @Sendable (Double) -> Void

    package init(
        inputs: StageInputs, tools: StageTools, attempt: StageAttempt, scratch: String, threads: Int,
        startedAt: Timestamp, effort: EffortMeter = EffortMeter(), progress: @escaping @Sendable (Double) -> Void
    ) {
        self.inputs = inputs
        self.tools = tools
        self.attempt = attempt
        self.scratch = scratch
        self.threads = threads
        self.startedAt = startedAt
        self.effort = effort
        self.progress = progress
    }

    var toolbox: Toolbox { tools.toolbox.metered(by: effort) }

    /// Where the tools of this attempt find the source.
    var sourcePath: String {
        get async throws { try await path(of: inputs.upload.blob, sha256: inputs.upload.sha256) }
    }

    /// Where they find a blob, for as long as the attempt lasts.
    func path(of blob: BlobName, sha256: String? = nil) async throws -> String {
        fetchBegins()
        defer { fetchEnds() }
        return try await tools.blobs.localFile(of: blob, sha256: sha256, in: scratch)
    }

    /// Makes a file of the scratch directory a blob of this attempt.
    func keep(_ file: String) async throws -> (name: BlobName, facts: BlobFacts) {
        let name = attempt.blobName(file)
        fetchBegins()
        defer { fetchEnds() }
        let facts = try await tools.blobs.adopt(fileAt: scratch + "/" + file, as: name)
        effort.add(Effort(bytesWritten: facts.bytes))
        return (name, facts)
    }

    /// Keeps bytes as a blob of this attempt.
    func keep(_ bytes: [UInt8], as file: String) async throws -> BlobName {
        let name = attempt.blobName(file)
        fetchBegins()
        defer { fetchEnds() }
        _ = try await tools.blobs.put(bytes, as: name)
        effort.add(Effort(bytesWritten: Int64(bytes.count)))
        return name
    }

    /// Keeps a value as a JSON blob of this attempt.
    func keep(json value: some Encodable & Sendable, as file: String) async throws -> BlobName {
        try await keep(await encoded(value), as: file)
    }

    /// Writes a file for a tool of this attempt.
    func write(_ text: String, to file: String) async throws -> String {
        let path = scratch + "/" + file
        try await tools.blobs.writeScratch(Array(text.utf8), to: path)
        return path
    }

    /// Reads a JSON blob of an earlier stage.
    func load<Value: Decodable & Sendable>(_ type: Value.Type, _ blob: BlobName) async throws -> Value {
        let bytes = try await bytes(of: blob)
        effort.add(Effort(bytesRead: Int64(bytes.count)))
        return try await decoded(type, bytes)
    }

    private func bytes(of blob: BlobName) async throws -> [UInt8] {
        fetchBegins()
        defer { fetchEnds() }
        return try await tools.blobs.bytes(of: blob, limitBytes: Self.jsonBytesMax)
    }

    /// A bucket may be slow and has limits of its own; a directory that does not answer hangs, and that is silence.
    private func fetchBegins() { if tools.blobs.keepsCopies { effort.waitBegins() } }

    private func fetchEnds() { if tools.blobs.keepsCopies { effort.waitEnds() } }

    /// Most bytes of one JSON blob. The words of four hours of speech take about 5 MB.
    static let jsonBytesMax = 64 << 20

    @concurrent private func encoded(_ value: some Encodable & Sendable) async throws(Failure) -> [UInt8] {
        try effort.measure { () throws(Failure) in try StageJSON.encode(value) }
    }

    @concurrent private func decoded<Value: Decodable & Sendable>(
        _ type: Value.Type, _ bytes: [UInt8]
    ) async throws(Failure) -> Value {
        try effort.measure { () throws(Failure) in try StageJSON.decode(type, from: bytes) }
    }
}

/// What a stage made.
package struct StageOutput: Sendable, Hashable {
    /// JSON of the stage's body.
    package let body: String
    package let blobs: [BlobName]

    package init(body: String, blobs: [BlobName]) {
        self.body = body
        self.blobs = blobs
    }

    package init(_ body: some StageBody, blobs: [BlobName] = []) throws(Failure) {
        let bytes = try StageJSON.encode(body)
        guard bytes.count <= StageResult.bodyBytesMax else {
            throw Failure(
                .poison, code: "result_too_large", reason: "A stage made a result larger than the database takes.",
                hint: "Send a shorter video.")
        }
        self.body = String(decoding: bytes, as: UTF8.self)
        self.blobs = blobs
    }
}
