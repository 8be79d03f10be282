import Blobs
import ClipModel
import Foundation
import Synchronization
import Testing

@Suite struct LocalCacheTests {
    private let root: TemporaryDirectory
    private let room: LocalRoom

    init() throws {
        root = try TemporaryDirectory()
        room = try LocalRoom(root: root.path, limits: BlobLimits(freeBytesMin: 0))
    }

    private func entry(_ file: String, _ bytes: [UInt8], version: String = "1") -> LocalCache.Entry {
        LocalCache.Entry(name: name(file), version: version, bytes: Int64(bytes.count), sha256: sha256(bytes))
    }

    /// As the store does: whoever fetches makes the file.
    private func write(_ bytes: [UInt8]) -> (String) throws -> Void {
        { path in try OpenFile(creating: path).write(bytes, at: 0) }
    }

    private static func content(_ path: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(filePath: path))) }

    @Test func `what was fetched once is not fetched again, also not by a neighbour`() async throws {
        let fetches = Mutex(0)
        for _ in 0..<2 {
            let cache = try LocalCache(in: room, limitBytes: 1000)
            try await room.withScratch(named: "stage") { scratch in
                for _ in 0..<2 {
                    let path = try await cache.file(entry("a", [1, 2, 3]), in: scratch) { path in
                        fetches.withLock { $0 += 1 }
                        try write([1, 2, 3])(path)
                    }
                    #expect(try Self.content(path) == [1, 2, 3])
                }
            }
        }
        #expect(fetches.withLock { $0 } == 1)
    }

    @Test func `many who want the same at once fetch it once, and another goes on when one is cancelled`() async throws
    {
        let cache = try LocalCache(in: room, limitBytes: 1000)
        let fetches = Count()
        try await room.withScratch(named: "stage") { scratch in
            for index in 0..<8 {
                try FileManager.default.createDirectory(
                    atPath: "\(scratch)/\(index)", withIntermediateDirectories: true)
            }
            await withTaskGroup(of: Bool.self) { group in
                for index in 0..<8 {
                    group.addTask {
                        let path = try? await cache.file(self.entry("a", [7]), in: "\(scratch)/\(index)") { path in
                            // The first one is cut off.
                            if fetches.next() == 1 { throw CancellationError() }
                            try self.write([7])(path)
                        }
                        return path != nil
                    }
                }
                var successes = 0
                for await isFine in group where isFine { successes += 1 }
                #expect(successes == 7)
            }
        }
        #expect(fetches.value == 2)
    }

    @Test func `a full disk takes from the cache, and is told`() async throws {
        let forty = [UInt8](repeating: 4, count: 40)
        try await room.withScratch(named: "fills") { scratch in
            let cache = try LocalCache(in: room, limitBytes: 1000)
            _ = try await cache.file(entry("old", forty), in: scratch, fetch: write(forty))
        }
        // Nobody has a disk of which so much is free.
        let small = try LocalRoom(root: root.path, limits: BlobLimits(freeBytesMin: Int64.max / 2))
        let cache = try LocalCache(in: small, limitBytes: 1000)
        #expect(try await cache.keptBytes() == 40)
        try await small.withScratch(named: "wants", evenWhenFull: true) { scratch in
            await #expect {
                _ = try await cache.file(entry("new", forty), in: scratch, fetch: write(forty))
            } throws: { error in
                let error = error as? BlobError
                return error?.code == .full && error?.detail.contains("must stay free") == true
            }
            let kept = try await cache.keptBytes()
            #expect(kept == 0)
        }
    }

    @Test func `what was not used for longest goes first, and never what is in use`() async throws {
        let cache = try LocalCache(in: room, limitBytes: 100)
        let forty = [UInt8](repeating: 4, count: 40)
        try await room.withScratch(named: "holds") { holding in
            let held = try await cache.file(entry("held", forty), in: holding, fetch: write(forty))
            try await room.withScratch(named: "passes") { passing in
                _ = try await cache.file(entry("passed", forty), in: passing, fetch: write(forty))
            }
            #expect(try await cache.keptBytes() == 80)
            try await room.withScratch(named: "third") { third in
                let path = try await cache.file(entry("third", forty), in: third, fetch: write(forty))
                #expect(try Self.content(path) == forty)
                #expect(try await cache.keptBytes() == 80)
                // Both that are left are in use: there is no room, and that is said.
                #expect(
                    await code { _ = try await cache.file(entry("fourth", forty), in: third, fetch: write(forty)) }
                        == .full)
            }
            #expect(try Self.content(held) == forty)
        }
        #expect(try await cache.keptBytes() <= 100)
    }

    @Test func `a blob that is larger than the whole cache is refused with the setting to raise`() async throws {
        let cache = try LocalCache(in: room, limitBytes: 10)
        try await room.withScratch(named: "stage") { scratch in
            let eleven = [UInt8](repeating: 1, count: 11)
            let error = await #expect(throws: BlobError.self) {
                _ = try await cache.file(entry("large", eleven), in: scratch, fetch: write(eleven))
            }
            #expect(error?.code == .cacheTooSmall && error?.detail.contains("blobs.cacheBytesMax") == true)
            // Waiting would not help.
            #expect(error?.failure.waits == false && error?.failure.class == .resource)
        }
    }

    @Test func `bytes that are not the right ones are not kept, and leave nothing`() async throws {
        let cache = try LocalCache(in: room, limitBytes: 1000)
        try await room.withScratch(named: "stage") { scratch in
            for wrong: [UInt8] in [[1, 2, 4], [1, 2], []] {
                #expect(
                    await code { _ = try await cache.file(entry("a", [1, 2, 3]), in: scratch, fetch: write(wrong)) }
                        == .corrupt)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch).isEmpty)
            #expect(try await cache.keptBytes() == 0)
            // Where nobody knows the digest, the length must do.
            let unknown = LocalCache.Entry(name: name("b"), version: "1", bytes: 2, sha256: nil)
            #expect(await code { _ = try await cache.file(unknown, in: scratch, fetch: write([1])) } == .corrupt)
            _ = try await cache.file(unknown, in: scratch, fetch: write([1, 2]))
        }
    }

    @Test func `another version of a blob is another file`() async throws {
        let cache = try LocalCache(in: room, limitBytes: 1000)
        try await room.withScratch(named: "stage") { scratch in
            let first = try await cache.file(entry("a", [1]), in: scratch, fetch: write([1]))
            let second = try await cache.file(entry("a", [2], version: "2"), in: scratch, fetch: write([2]))
            #expect(try Self.content(first) == [1])
            #expect(try Self.content(second) == [2])
        }
    }

    @Test func `all versions of a blob are dropped with its name, and whoever works with one keeps it`() async throws {
        let cache = try LocalCache(in: room, limitBytes: 1000)
        try await room.withScratch(named: "stage") { scratch in
            let held = try await cache.file(entry("a", [1]), in: scratch, fetch: write([1]))
            _ = try await cache.file(entry("a", [2, 2], version: "2"), in: scratch, fetch: write([2, 2]))
            _ = try await cache.file(entry("ab", [3, 3, 3]), in: scratch, fetch: write([3, 3, 3]))
            try await cache.drop(name("a"))
            try await cache.drop(name("a"))
            #expect(try await cache.keptBytes() == 3)
            #expect(try Self.content(held) == [1])
        }
    }

    @Test func `what is kept the group may read, and nobody but the node may change`() async throws {
        let cache = try LocalCache(in: room, limitBytes: 1000)
        try await room.withScratch(named: "stage") { scratch in
            let files = FileManager.default
            #expect(try files.attributesOfItem(atPath: scratch)[.posixPermissions] as? Int == 0o770)
            let made = scratch + "/clip.mp4"
            try Data([1, 2]).write(to: URL(filePath: made))
            try files.setAttributes([.posixPermissions: 0o666], ofItemAtPath: made)
            await cache.keep(made, as: entry("made", [1, 2]))
            let again = try await cache.file(entry("made", [1, 2]), in: scratch) { _ in Issue.record("it is here") }
            let fetched = try await cache.file(entry("fetched", [3]), in: scratch, fetch: write([3]))
            for path in [again, fetched] {
                #expect(try files.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o640)
            }
        }
    }

    @Test func `what an earlier boot of the machine left is removed`() throws {
        let old = root.path + "/cache/0000-before"
        try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: true)
        try Data([1]).write(to: URL(filePath: old + "/torn"))
        _ = try LocalCache(in: room, limitBytes: 1000)
        #expect(!FileManager.default.fileExists(atPath: old))
    }
}

private final class Count: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }

    func next() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }
}
