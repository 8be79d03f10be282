import Blobs
import ClipModel
import Crypto
import Foundation
import Testing

@Suite struct BlobDirectoryTests {
    private let root: TemporaryDirectory
    private let blobs: BlobDirectory

    init() throws {
        root = try TemporaryDirectory()
        blobs = try BlobDirectory(root: root.path, limits: BlobLimits(freeBytesMin: 0))
    }

    @Test func `what is written piece by piece is read back whole, with its checksum`() async throws {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let writer = try await blobs.writer(for: name("uploads/a/source"), limitBytes: 1 << 20)
        for start in stride(from: 0, to: bytes.count, by: 7001) {
            try await writer.write(bytes[start..<min(start + 7001, bytes.count)])
        }
        let facts = try await writer.commit()
        #expect(facts == BlobFacts(bytes: 100_000, sha256: sha256(bytes)))
        #expect(try await blobs.bytes(of: name("uploads/a/source"), limitBytes: 100_000) == bytes)
        #expect(try leftInScratch() == 0)
    }

    @Test func `a blob grows from checkpoint to checkpoint, and falls back to the last one`() async throws {
        let bytes = (0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let writer = try await blobs.writer(for: name("growing"), limitBytes: 3000)
        try await writer.write(bytes[..<1000])
        #expect(try await blobs.size(of: name("growing")) == nil)
        for (start, end) in [(1000, 1500), (1500, 2000)] {
            try await writer.write(bytes[start..<end])
            let facts = try await writer.checkpoint()
            #expect(facts == BlobFacts(bytes: Int64(end), sha256: sha256(Array(bytes[..<end]))))
            #expect(try await blobs.bytes(of: name("growing"), limitBytes: end) == Array(bytes[..<end]))
        }
        #expect(try leftInScratch() == 0)
        try await writer.write(bytes[2000..<2500])
        await writer.discard()
        #expect(try await blobs.bytes(of: name("growing"), limitBytes: 3000) == Array(bytes[..<2000]))
    }

    /// Long enough that its digest is computed on another thread meanwhile.
    @Test func `what is digested behind the writer is what was written, at each checkpoint`() async throws {
        let bytes = (0..<7_500_000).map { UInt8(truncatingIfNeeded: ($0 &* 31) ^ ($0 >> 9)) }
        let writer = try await blobs.writer(for: name("long"), limitBytes: 1 << 30)
        var (position, checkpoints) = (0, 0)
        while position < bytes.count {
            let end = min(position + 70_001, bytes.count)
            try await writer.write(bytes[position..<end])
            position = end
            guard position / 2_000_000 > checkpoints else { continue }
            checkpoints += 1
            let facts = try await writer.checkpoint()
            #expect(facts == BlobFacts(bytes: Int64(end), sha256: sha256(Array(bytes[..<end]))))
        }
        #expect(checkpoints == 3)
        #expect(try await writer.commit() == BlobFacts(bytes: 7_500_000, sha256: sha256(bytes)))
        let given = try await blobs.writer(for: name("given-up"), limitBytes: 1 << 30)
        try await given.write(bytes)
        await given.discard()
        #expect(try await blobs.size(of: name("given-up")) == nil)
        #expect(try leftInScratch() == 0)
    }

    @Test func `a blob that grew ends as it was written`() async throws {
        let writer = try await blobs.writer(for: name("grown"), limitBytes: 100)
        try await writer.write([1, 2, 3])
        _ = try await writer.checkpoint()
        try await writer.write([4])
        #expect(try await writer.commit() == BlobFacts(bytes: 4, sha256: sha256([1, 2, 3, 4])))
        #expect(try await blobs.bytes(of: name("grown"), limitBytes: 4) == [1, 2, 3, 4])
        await writer.discard()
        #expect(try await blobs.size(of: name("grown")) == 4)
    }

    @Test func `bytes that are no array are written too`() async throws {
        let writer = try await blobs.writer(for: name("lazy"), limitBytes: 100)
        try await writer.write((0..<50).lazy.map { UInt8($0) })
        _ = try await writer.commit()
        #expect(try await blobs.bytes(of: name("lazy"), limitBytes: 50) == Array(0..<50))
    }

    @Test(arguments: [0..<0, 0..<1, 0..<1000, 999..<1000, 300..<700, 256..<512])
    func `a range is read in blocks and nothing but the range`(range: Range<Int64>) async throws {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        _ = try await blobs.put(bytes, as: name("ranged"))
        var read: [UInt8] = []
        for try await block in try await blobs.read(name("ranged"), range: range, chunkBytes: 256) {
            #expect(block.count <= 256)
            read += block
        }
        #expect(read == Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
    }

    @Test(arguments: [-1..<10, 0..<1001, 1001..<1002])
    func `a range outside of the blob is refused`(range: Range<Int64>) async throws {
        _ = try await blobs.put([UInt8](repeating: 1, count: 1000), as: name("ranged"))
        #expect(await code { _ = try await blobs.read(name("ranged"), range: range) } == .rangeInvalid)
    }

    @Test func `a reader that began is not disturbed when the blob is removed`() async throws {
        _ = try await blobs.put([UInt8](repeating: 7, count: 1000), as: name("gone"))
        let reader = try await blobs.read(name("gone"), range: 0..<1000, chunkBytes: 100)
        try await blobs.remove([name("gone")])
        var count = 0
        for try await block in reader { count += block.count }
        #expect(count == 1000)
    }

    @Test func `more bytes than allowed are refused and leave nothing behind`() async throws {
        let writer = try await blobs.writer(for: name("ten"), limitBytes: 10)
        try await writer.write([UInt8](repeating: 0, count: 10))
        await #expect(throws: BlobError.self) { try await writer.write([1]) }
        await writer.discard()
        #expect(try leftInScratch() == 0)
    }

    @Test func `a writer that is dropped leaves nothing behind`() async throws {
        do { try await blobs.writer(for: name("dropped"), limitBytes: 10).write([1, 2, 3]) }
        #expect(try leftInScratch() == 0)
    }

    @Test func `a blob that is larger than the reader allows is refused`() async throws {
        _ = try await blobs.put([1, 2, 3], as: name("three"))
        await #expect(throws: BlobError.self) { try await blobs.bytes(of: name("three"), limitBytes: 2) }
    }

    @Test func `what is not there is missing, and removing it is fine`() async throws {
        #expect(try await blobs.size(of: name("nothing")) == nil)
        #expect(await code { _ = try await blobs.read(name("nothing"), range: 0..<0) } == .missing)
        try await blobs.remove([name("nothing"), name("no/such/thing")])
    }

    @Test func `a directory is no blob`() async throws {
        _ = try await blobs.put([1], as: name("a/b"))
        #expect(try await blobs.size(of: name("a")) == nil)
    }

    @Test func `removing the last blob of a directory removes the directory`() async throws {
        _ = try await blobs.put([1], as: name("results/x/render-0/1/clip.mp4"))
        _ = try await blobs.put([1], as: name("results/y/kept"))
        try await blobs.remove([name("results/x/render-0/1/clip.mp4")])
        #expect(try await blobs.directories(under: name("results"), after: nil, limit: 9) == ["y"])
    }

    @Test func `directories are named in order from where one left off, and files between them do not count`()
        async throws
    {
        for file in ["d/1", "c", "b/1", "a", "e/1/2", "bb"] { _ = try await blobs.put([1], as: name("j/" + file)) }
        let prefix = name("j")
        #expect(try await blobs.directories(under: prefix, after: nil, limit: 2) == ["b", "d"])
        #expect(try await blobs.directories(under: prefix, after: "d", limit: 2) == ["e"])
        #expect(try await blobs.directories(under: prefix, after: "c", limit: 1) == ["d"])
        #expect(try await blobs.directories(under: prefix, after: "e", limit: 1).isEmpty)
        #expect(try await blobs.directories(under: name("none"), after: nil, limit: 1).isEmpty)
    }

    @Test func `a blob is replaced in one step`() async throws {
        _ = try await blobs.put([1], as: name("same"))
        _ = try await blobs.put([2, 2], as: name("same"))
        #expect(try await blobs.bytes(of: name("same"), limitBytes: 10) == [2, 2])
    }

    @Test func `a file of the scratch becomes a blob and the scratch goes away`() async throws {
        let path = try await blobs.withScratch(named: "render[0] ../x") { scratch in
            try await blobs.writeScratch([9, 9, 9], to: scratch + "/clip.mp4")
            let facts = try await blobs.adopt(fileAt: scratch + "/clip.mp4", as: name("made/clip.mp4"))
            #expect(facts == BlobFacts(bytes: 3, sha256: sha256([9, 9, 9])))
            try await blobs.writeScratch([1], to: scratch + "/rest")
            return scratch
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(path.hasPrefix(root.path + "/scratch/"))
        #expect(!path.contains(".."))
        #expect(try await blobs.size(of: name("made/clip.mp4")) == 3)
    }

    @Test func `what a tool made is a file that only this process may write to`() async throws {
        try await blobs.withScratch(named: "tool") { scratch in
            try await blobs.writeScratch([9], to: scratch + "/clip.mp4")
            try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: scratch + "/clip.mp4")
            _ = try await blobs.adopt(fileAt: scratch + "/clip.mp4", as: name("made/clip.mp4"))
        }
        let facts = try FileManager.default.attributesOfItem(atPath: root.path + "/objects/made/clip.mp4")
        #expect(facts[.posixPermissions] as? Int == 0o640)
        #expect(facts[.ownerAccountID] as? Int == Int(geteuid()))
    }

    @Test func `scratch goes away when its work fails`() async throws {
        await #expect(throws: CancellationError.self) {
            try await blobs.withScratch(named: "failing") { _ in throw CancellationError() }
        }
        #expect(try leftInScratch() == 0)
    }

    @Test func `a link in the scratch is not adopted`() async throws {
        try await blobs.withScratch(named: "link") { scratch in
            try FileManager.default.createSymbolicLink(
                atPath: scratch + "/link", withDestinationPath: "/etc/hostname")
            await #expect(throws: BlobError.self) {
                try await blobs.adopt(fileAt: scratch + "/link", as: name("stolen"))
            }
        }
        #expect(try await blobs.size(of: name("stolen")) == nil)
    }

    @Test func `blobs are listed in order, with their size and age`() async throws {
        for file in ["b/2", "a", "b/1/x"] { _ = try await blobs.put([1, 2], as: name("results/j/" + file)) }
        let listed = try await blobs.list(under: name("results/j"), limit: 10)
        #expect(listed.map(\.name.rawValue) == ["results/j/a", "results/j/b/1/x", "results/j/b/2"])
        #expect(listed.allSatisfy { $0.bytes == 2 && $0.changedAt.millisecondsSinceEpoch > 0 })
        #expect(try await blobs.list(under: name("results/j"), limit: 2).count == 2)
        #expect(try await blobs.list(under: name("results/none"), limit: 2).isEmpty)
    }

    @Test(arguments: ["../etc/passwd", "a/../b", "/etc/passwd", "a//b", "", ".hidden", "a/.b", "a\0b", "a b", "ä"])
    func `a name that could leave the directory does not exist`(text: String) {
        #expect(BlobName(text) == nil)
    }

    private func leftInScratch() throws -> Int {
        let scratch = root.path + "/scratch"
        return try FileManager.default.subpathsOfDirectory(atPath: scratch)
            .filter { !$0.hasSuffix(".lock") && !$0.hasSuffix(".gate") && $0.contains("/") }.count
    }
}

func name(_ text: String) -> BlobName { BlobName(text)! }

func sha256(_ bytes: [UInt8]) -> String {
    var hash = SHA256()
    hash.update(data: bytes)
    return hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}

/// The code of the error that `body` throws.
func code(_ body: () async throws -> Void) async -> BlobError.Code? {
    do { try await body() } catch { return (error as? BlobError)?.code }
    return nil
}

/// A directory that is gone when the test is.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("blobs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
