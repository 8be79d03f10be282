import Blobs
import ClipModel
import Foundation
import Jobs
import Stages
import Store
import Testing

@Suite struct FolderWalkTests {
    @Test(arguments: [1, 3, 5, 13, 20], [1, 2, 3])
    func `every folder is looked at on the way around, wherever that begins`(limit: Int, seed: Int) async throws {
        let folders = try await Folders(13)
        let walk = folders.walk(limit: limit, seed: seed)
        for _ in 0..<2 {
            var seen: Set<String> = []
            for _ in 0..<((13 + limit - 1) / limit) {
                var inRound: [String] = []
                try await walk.round(under: StageAttempt.root) { inRound.append($0) }
                #expect(inRound.count == min(limit, 13))
                #expect(Set(inRound).count == inRound.count, "none twice in a round")
                seen.formUnion(inRound)
            }
            #expect(seen == Set(folders.names))
        }
    }

    @Test func `walks begin at different places`() async throws {
        let folders = try await Folders(13)
        var first: Set<String> = []
        for seed in 1...8 {
            let walk = folders.walk(limit: 1, seed: seed)
            try await walk.round(under: StageAttempt.root) { _ = first.insert($0) }
        }
        #expect(first.count > 2)
    }

    @Test func `a folder that cannot be looked at keeps none from its turn`() async throws {
        let folders = try await Folders(5)
        let walk = folders.walk(limit: 5, seed: 1)
        let bad = folders.names[2]
        var seen: Set<String> = []
        for _ in 0..<2 {
            try? await walk.round(under: StageAttempt.root) { name in
                if name == bad { throw CancellationError() }
                seen.insert(name)
            }
        }
        #expect(seen == Set(folders.names).subtracting([bad]))
    }

    @Test func `where nothing is there is nothing to look at`() async throws {
        let folders = try await Folders(0)
        let walk = folders.walk(limit: 5, seed: 1)
        var seen: [String] = []
        try await walk.round(under: StageAttempt.root) { seen.append($0) }
        #expect(seen.isEmpty)
    }

    /// Of folders drawn in each round some would still wait, with all but certainty.
    @Test(arguments: 1...3)
    func `what nobody needs is gone when a sweeper has been through all folders once`(seed: Int) async throws {
        let folders = try await Folders(40)
        let old = stride(from: 0, to: 40, by: 2).map { folders.jobs[$0] }
        for job in old { try folders.age(job) }
        var configuration = SweeperConfiguration()
        configuration.foldersPerRound = 4
        let sweeper = Sweeper(
            store: InMemoryStore(now: systemWallTime), blobs: folders.blobs, configuration: configuration,
            clock: ContinuousClock(), now: systemWallTime, chance: Chance(SplitMix64(state: UInt64(seed))),
            logger: quiet)
        for _ in 0..<10 { try await sweeper.upkeep() }
        let kept = stride(from: 1, to: 40, by: 2).map { folders.blob(of: folders.jobs[$0]) }
        let standing = try await folders.blobs.list(under: StageAttempt.root, limit: 100)
        #expect(standing.map(\.name) == kept)
    }
}

/// Folders of jobs that were made an hour apart, the last one an hour ago, each with one blob that is new.
private final class Folders: Sendable {
    let blobs: BlobDirectory
    let jobs: [JobID]
    private let path: String

    init(_ count: Int) async throws {
        path = FileManager.default.temporaryDirectory.appending(path: "folders-\(UUID().uuidString)").path
        blobs = try BlobDirectory(root: path, limits: BlobLimits(freeBytesMin: 0))
        let now = systemWallTime()
        var random = SplitMix64(state: 5)
        var made: [JobID] = []
        for hours in stride(from: count, to: 0, by: -1) {
            made.append(JobID(at: now.advanced(bySeconds: -3600 * Double(hours)), using: &random))
        }
        jobs = made
        for job in made { _ = try await blobs.put([1], as: blob(of: job)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var names: [String] { jobs.map { String($0.ulid) } }

    func blob(of job: JobID) -> BlobName {
        StageAttempt(job: job, key: StageKey(.render, 0), epoch: 1).blobName("clip.mp4")
    }

    /// Makes the blob of `job` two hours old.
    func age(_ job: JobID) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -7200)],
            ofItemAtPath: path + "/objects/" + blob(of: job).rawValue)
    }

    func walk(limit: Int, seed: Int) -> FolderWalk {
        FolderWalk(blobs: blobs, limit: limit, now: systemWallTime, chance: Chance(SplitMix64(state: UInt64(seed))))
    }
}
