import ClipModel
import ClusterSimulation
import Jobs
import Store
import StoreModel
import Synchronization

/// What clients were told.
final class Told: Sendable {
    struct State {
        var accepted: [JobID] = []
        var cancelled: Set<JobID> = []
        var deleted: Set<JobID> = []
        var surprises: [String] = []
        var open = 0
    }

    private let state = Mutex(State())
    var all: State { state.withLock { $0 } }
    func note(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
}

/// A client that asks until it is answered. It speaks to some node, whose way to the store is as bad as any.
struct PlayedClient: Sendable {
    let jobs: JobService
    let store: ModelStore
    let clock: VirtualClock
    let told: Told
    let chance: Chance

    func submit(_ number: Int, shares: Bool, at now: Timestamp) async throws {
        let id = chance.draw { UploadID(at: now, using: &$0) }
        let digit = shares ? "ab" : String(number + 10)
        let upload = Upload(
            id: id, fileName: "talk.mp4", bytes: 12_000_000, sha256: String(repeating: digit, count: 32),
            blob: jobs.blobName(of: id), transcript: nil, createdAt: now)
        try await insist { try await store.insert(upload) }
        let outcome = try await insist {
            try await jobs.submit(
                upload: id, options: JobOptions(), tenant: number.isMultiple(of: 2) ? "ana" : "bob",
                idempotency: JobDraft.Idempotency(key: "job \(number)", requestSHA256: digit))
        }
        switch outcome {
        case .created(let job), .replayed(let job): told.note { $0.accepted.append(job.id) }
        case .idempotencyMismatch, .noSuchUpload, .quotaExhausted, .olderNodes:
            told.note { $0.surprises.append("submit: \(outcome)") }
        }
    }

    func cancel(_ job: JobID) async throws {
        switch try await insist({ try await jobs.cancel(job) }) {
        case .changed(let job): told.note { _ = $0.cancelled.insert(job.id) }
        case .notPossible(let job): if job.status == .cancelled { told.note { _ = $0.cancelled.insert(job.id) } }
        case .noSuchJob: break
        }
    }

    func retry(_ job: JobID) async throws { _ = try await insist { try await jobs.retry(job) } }

    func delete(_ job: JobID) async throws {
        // From the first try on it may be gone.
        told.note { _ = $0.deleted.insert(job) }
        _ = try await insist { try await jobs.delete(job) }
    }

    func requeue(_ key: StageKey, of job: JobID) async throws {
        // The ledger knows no revisions, so no clip that is missing is made again here.
        _ = try await insist { try await jobs.requeueStage(key, of: job) }
    }

    func set(_ node: NodeID, to schedulability: NodeSchedulability) async throws {
        _ = try await insist { try await store.setSchedulability(of: node, to: schedulability) }
    }

    private func insist<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        while true {
            do { return try await body() } catch let error as StoreError {
                switch error.code {
                case .unavailable, .poolExhausted, .timedOut: break
                case .refused, .corrupt: told.note { $0.surprises.append("\(error)") }
                }
                try await clock.sleep(for: .milliseconds(200) * (1 + chance.fraction()))
            }
        }
    }
}

extension JobsWorld {
    /// Something a client does from now on, beside everything else.
    func client(_ body: @escaping @Sendable (PlayedClient) async throws -> Void) {
        let number = clients.count
        let region = Region(setting.regions[number % setting.regions.count])!
        let store = ModelStore(database, ModelDatabase.Link("client-\(number)"))
        let chance = Chance(random.fork())
        let (parts, told, coordinates) = (parts, told, setting.coordinates)
        let client = PlayedClient(
            jobs: JobService(
                store: store, blobs: blobs, region: region, jobsMax: setting.jobsMax,
                now: Self.wallTime(world.scheduler), chance: chance,
                onChange: { if coordinates { parts.tell($0, $1) } }),
            store: store, clock: VirtualClock(world.scheduler), told: told, chance: chance)
        told.note { $0.open += 1 }
        clients.append(
            world.beginOutside {
                defer { told.note { $0.open -= 1 } }
                try await body(client)
            })
    }

    func hasSubmitted(_ number: Int) -> Bool { submitted.contains(number) }

    func submit(_ number: Int) {
        submitted.insert(number)
        let (shares, time) = (setting.shares, Self.wallTime(world.scheduler)())
        client { try await $0.submit(number, shares: shares, at: time) }
    }

    /// Something that clients may order, drawn.
    func orderSomething() {
        let known = told.all.accepted
        guard !known.isEmpty else { return }
        let job = known[random.below(known.count)]
        switch random.below(8) {
        case 0: client { try await $0.cancel(job) }
        case 1: client { try await $0.delete(job) }
        case 2, 3, 4: client { try await $0.retry(job) }
        default:
            let stages = ledger.stages(of: job)
            guard !stages.isEmpty else { return }
            let key = stages[random.below(stages.count)].key
            client { try await $0.requeue(key, of: job) }
        }
    }
}
