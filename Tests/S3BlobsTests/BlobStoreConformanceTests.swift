import Blobs
import ClipModel
import Crypto
import Foundation
import Testing

/// What every blob store promises, asked of the directory and of two services that speak S3.
@Suite struct BlobStoreConformanceTests {
    enum Kind: String, Sendable, CaseIterable { case directory, seaweed, moto }

    private let root: TemporaryDirectory
    init() throws { root = try TemporaryDirectory() }

    private func store(_ kind: Kind) async throws -> any BlobStore {
        switch kind {
        case .directory: try BlobDirectory(root: root.path, limits: BlobLimits(freeBytesMin: 0))
        case .seaweed: try await S3Server.shared(.seaweed).store(in: root)
        case .moto: try await S3Server.shared(.moto).store(in: root)
        }
    }

    @Test(arguments: Kind.allCases, [0, 1, 100_000, 5 << 20, (5 << 20) + 1, 13_000_000])
    func `what is written piece by piece is read back whole, with its checksum`(kind: Kind, count: Int) async throws {
        let (blobs, bytes) = (try await store(kind), sample(count))
        let writer = try await blobs.writer(for: name("uploads/a/source"), limitBytes: 1 << 30)
        for start in stride(from: 0, to: count, by: 700_001) {
            try await writer.write(bytes[start..<min(start + 700_001, count)])
        }
        #expect(try await blobs.size(of: name("uploads/a/source")) == nil, "nothing is seen before it is whole")
        let facts = try await writer.commit()
        #expect(facts == BlobFacts(bytes: Int64(count), sha256: sha256(bytes)) && writer.bytesWritten == Int64(count))
        #expect(try await blobs.size(of: name("uploads/a/source")) == Int64(count))
        #expect(try await blobs.bytes(of: name("uploads/a/source"), limitBytes: count) == bytes)
    }

    @Test(arguments: Kind.allCases) func `a range is read in blocks and nothing but the range`(kind: Kind) async throws
    {
        let (blobs, bytes) = (try await store(kind), sample(1000))
        _ = try await blobs.put(bytes, as: name("ranged"))
        for range: Range<Int64> in [0..<0, 0..<1, 0..<1000, 999..<1000, 300..<700, 256..<512] {
            var read: [UInt8] = []
            for try await block in try await blobs.read(name("ranged"), range: range, chunkBytes: 256) {
                #expect(block.count <= 256)
                read += block
            }
            #expect(read == Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
        for range: Range<Int64> in [-1..<10, 0..<1001, 1001..<1002] {
            #expect(await code { _ = try await blobs.read(name("ranged"), range: range) } == .rangeInvalid)
        }
    }

    @Test(arguments: Kind.allCases) func `more bytes than allowed are refused and leave nothing`(kind: Kind)
        async throws
    {
        let blobs = try await store(kind)
        let writer = try await blobs.writer(for: name("ten"), limitBytes: 10)
        try await writer.write([UInt8](repeating: 0, count: 10))
        await #expect(throws: BlobError.self) { try await writer.write([1]) }
        await writer.discard()
        #expect(try await blobs.list(under: nil, after: nil, limit: 10).isEmpty)
        #expect(try leftInScratch().isEmpty)
        await #expect(throws: BlobError.self) { try await writer.write([1]) }
        await #expect(throws: BlobError.self) { try await writer.commit() }
    }

    @Test(arguments: Kind.allCases) func `a writer of many parts that is discarded leaves nothing`(kind: Kind)
        async throws
    {
        let blobs = try await store(kind)
        let writer = try await blobs.writer(for: name("gone"), limitBytes: 1 << 30)
        try await writer.write(sample(12 << 20))
        await writer.discard()
        #expect(try await blobs.size(of: name("gone")) == nil)
        #expect(try leftInScratch().isEmpty)
    }

    @Test(arguments: Kind.allCases) func `what is not there is missing, and removing it is fine`(kind: Kind)
        async throws
    {
        let blobs = try await store(kind)
        #expect(try await blobs.size(of: name("nothing")) == nil)
        #expect(await code { _ = try await blobs.read(name("nothing"), range: 0..<0) } == .missing)
        #expect(await code { _ = try await blobs.bytes(of: name("nothing"), limitBytes: 1) } == .missing)
        try await blobs.remove([name("nothing")])
        try await blobs.remove([name("nothing"), name("no/such/thing")])
        try await blobs.remove([])
    }

    @Test(arguments: Kind.allCases) func `a blob is replaced in one step, or not at all`(kind: Kind) async throws {
        let blobs = try await store(kind)
        _ = try await blobs.put([1], as: name("same"))
        _ = try await blobs.put([2, 2], as: name("same"))
        #expect(try await blobs.bytes(of: name("same"), limitBytes: 10) == [2, 2])
        #expect(await code { _ = try await blobs.put([3], as: name("same"), if: .absent) } == .exists)
        #expect(try await blobs.bytes(of: name("same"), limitBytes: 10) == [2, 2])
        _ = try await blobs.put([4], as: name("new"), if: .absent)
        #expect(try await blobs.bytes(of: name("new"), limitBytes: 10) == [4])
        #expect(await code { _ = try await blobs.bytes(of: name("same"), limitBytes: 1) } == .tooLarge)
    }

    /// Moto's server has no conditional writes that hold against each other, so it is not asked.
    @Test(arguments: [Kind.directory, .seaweed])
    func `of many who want a free name at one moment one gets it`(kind: Kind) async throws {
        let blobs = try await store(kind)
        let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
            for number in 0..<8 {
                group.addTask {
                    do throws(BlobError) {
                        _ = try await blobs.put([UInt8(number)], as: name("first"), if: .absent)
                        return number
                    } catch {
                        guard error.code == .exists else { throw error }
                        return nil
                    }
                }
            }
            var winners: [Int] = []
            for try await winner in group { if let winner { winners.append(winner) } }
            return winners
        }
        #expect(winners.count == 1)
        #expect(try await blobs.bytes(of: name("first"), limitBytes: 1) == winners.map { UInt8($0) })
    }

    @Test(arguments: Kind.allCases) func `copies are kept of what is not here`(kind: Kind) async throws {
        let blobs = try await store(kind)
        #expect(blobs.keepsCopies == (kind != .directory))
    }

    @Test(arguments: Kind.allCases, [3, 11 << 20])
    func `a file of the scratch becomes a blob that tools find`(kind: Kind, count: Int) async throws {
        let (blobs, bytes) = (try await store(kind), sample(count))
        try await blobs.withScratch(named: "render[0] ../x") { scratch in
            try await blobs.writeScratch(bytes, to: scratch + "/clip.mp4")
            let facts = try await blobs.adopt(fileAt: scratch + "/clip.mp4", as: name("made/clip.mp4"))
            #expect(facts == BlobFacts(bytes: Int64(count), sha256: sha256(bytes)))
        }
        try await blobs.withScratch(named: "check") { scratch in
            for sha256 in [nil, sha256(bytes)] {
                let path = try await blobs.localFile(of: name("made/clip.mp4"), sha256: sha256, in: scratch)
                #expect(try Array(Data(contentsOf: URL(filePath: path))) == bytes)
            }
            #expect(
                await code { _ = try await blobs.localFile(of: name("none"), sha256: nil, in: scratch) } == .missing
                    || kind == .directory)
        }
        #expect(try leftInScratch().isEmpty)
    }

    /// A blob that was a file, and the name of another one, whose place it is to take.
    private func sourceAndWhatItReplaces(
        _ blobs: any BlobStore, _ bytes: [UInt8]
    ) async throws -> (from: BlobName, to: BlobName) {
        let (from, to) = (name("uploads/a/source"), name("quarantine/a/source"))
        try await blobs.withScratch(named: "stage") { scratch in
            try await blobs.writeScratch(bytes, to: scratch + "/made")
            _ = try await blobs.adopt(fileAt: scratch + "/made", as: from)
        }
        _ = try await blobs.put([9], as: to)
        return (from, to)
    }

    /// The last one is copied in three parts where there is no renaming.
    @Test(arguments: Kind.allCases, [0, 100_000, 11 << 20])
    func `a blob is moved with all its bytes, again and again`(kind: Kind, count: Int) async throws {
        let (blobs, bytes) = (try await store(kind), sample(count))
        let (from, to) = try await sourceAndWhatItReplaces(blobs, bytes)
        // Whoever is cut off after the moving does it again.
        for _ in 0..<2 {
            try await blobs.move(from, to: to)
            #expect(try await blobs.size(of: from) == nil)
            #expect(try await blobs.bytes(of: to, limitBytes: count) == bytes)
        }
        #expect(try await blobs.list(under: nil, after: nil, limit: 10).map(\.name) == [to])
        try await blobs.withScratch(named: "look") { scratch in
            let path = try await blobs.localFile(of: to, sha256: sha256(bytes), in: scratch)
            #expect(try Array(Data(contentsOf: URL(filePath: path))) == bytes)
        }
        // Also after the first of the two steps.
        _ = try await blobs.put(bytes, as: from)
        try await blobs.move(from, to: to)
        try await blobs.move(to, to: to)
        #expect(try await blobs.bytes(of: to, limitBytes: count) == bytes)
        try await blobs.move(name("none"), to: name("nowhere"))
        #expect(try await blobs.list(under: nil, after: nil, limit: 10).map(\.name) == [to])
    }

    /// The last one is copied in three parts where the service copies no more at once.
    @Test(arguments: Kind.allCases, [0, 1000, 11 << 20])
    func `a copy and what it was made of know nothing of each other`(kind: Kind, count: Int) async throws {
        let (blobs, bytes) = (try await store(kind), sample(count))
        let (from, to) = try await sourceAndWhatItReplaces(blobs, bytes)
        // The second time by the same bytes.
        for _ in 0..<2 {
            try await blobs.copy(from, to: to)
            #expect(try await blobs.bytes(of: from, limitBytes: count) == bytes)
            #expect(try await blobs.bytes(of: to, limitBytes: count) == bytes)
        }
        try await blobs.copy(from, to: from)
        try await blobs.copy(name("none"), to: name("nowhere"))
        #expect(try await Set(blobs.list(under: nil, after: nil, limit: 10).map(\.name)) == [from, to])
        _ = try await blobs.put([1, 2], as: to)
        #expect(try await blobs.bytes(of: from, limitBytes: count) == bytes)
        try await blobs.copy(from, to: to)
        try await blobs.remove([from])
        #expect(try await blobs.size(of: from) == nil)
        #expect(try await blobs.bytes(of: to, limitBytes: count) == bytes)
    }

    @Test(arguments: Kind.allCases) func `of many who move the same blob none fails`(kind: Kind) async throws {
        let (blobs, bytes) = (try await store(kind), sample(1000))
        _ = try await blobs.put(bytes, as: name("from"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<6 { group.addTask { try await blobs.move(name("from"), to: name("to")) } }
            try await group.waitForAll()
        }
        #expect(try await blobs.bytes(of: name("to"), limitBytes: 1000) == bytes)
        #expect(try await blobs.size(of: name("from")) == nil)
    }

    @Test(arguments: Kind.allCases) func `blobs are listed in the order of their names, page by page`(kind: Kind)
        async throws
    {
        let blobs = try await store(kind)
        let names = ["j/a", "j/b-0/10/y", "j/b-0/1/x", "j/b-1/2", "j/b-10/2", "j/c", "k", "l/m/n"].map(name).sorted()
        for file in names.reversed() { _ = try await blobs.put([1, 2], as: file) }
        let all = try await blobs.list(under: nil, after: nil, limit: 100)
        #expect(all.map(\.name) == names)
        #expect(all.allSatisfy { $0.bytes == 2 })
        #expect(all.allSatisfy { abs($0.changedAt.seconds(since: wallTime())) < 60 })
        var paged: [BlobName] = []
        while true {
            let page = try await blobs.list(under: nil, after: paged.last, limit: 3)
            #expect(page.count <= 3)
            if page.isEmpty { break }
            paged += page.map(\.name)
        }
        #expect(paged == names)
        #expect(
            try await blobs.list(under: name("j"), limit: 100).map(\.name)
                == names.filter { $0.rawValue.hasPrefix("j/") })
        #expect(
            try await blobs.list(under: name("j"), after: name("j/b-0/1/x"), limit: 1).map(\.name) == [
                name("j/b-0/10/y")
            ])
        #expect(try await blobs.list(under: name("none"), limit: 2).isEmpty)
        let directories = try await blobs.directories(under: name("j"), after: nil, limit: 100)
        #expect(directories == ["b-0", "b-1", "b-10"])
        try await blobs.remove(names)
        #expect(try await blobs.list(under: nil, after: nil, limit: 100).isEmpty)
        // SeaweedFS takes a folder away some time after the last object in it.
        if kind != .seaweed {
            #expect(try await blobs.directories(under: name("j"), after: nil, limit: 100).isEmpty)
        }
    }

    @Test(arguments: Kind.allCases) func `directories are named page by page, each of them once`(kind: Kind)
        async throws
    {
        let (blobs, prefix) = (try await store(kind), name("j"))
        let names = ["b", "b-0", "b-1", "b-1-x", "b-1.x", "b-10", "b-10a", "c"]
        let files: [String] = ["j/a", "j/bb", "k/d/x"] + names.flatMap { ["j/\($0)/1/x", "j/\($0)/z"] }
        for file in files { _ = try await blobs.put([1], as: name(file)) }
        let all = try await blobs.directories(under: prefix, after: nil, limit: 100)
        #expect(all.sorted() == names)
        for limit in 1...4 {
            var paged: [String] = []
            while paged.count <= names.count {
                let page = try await blobs.directories(under: prefix, after: paged.last, limit: limit)
                #expect(page.count <= limit)
                paged += page
                if page.count < limit { break }
            }
            #expect(paged == all)
        }
        // Where none stands, or none any more.
        #expect(try await blobs.directories(under: prefix, after: "aaa", limit: 100) == all)
        #expect(try await blobs.directories(under: prefix, after: "bb0", limit: 100) == ["c"])
        #expect(try await blobs.directories(under: prefix, after: "c", limit: 100).isEmpty)
        #expect(try await blobs.directories(under: name("none"), after: nil, limit: 100).isEmpty)
    }

    @Test(arguments: Kind.allCases) func `pages leave nothing out, whatever the service takes for order`(kind: Kind)
        async throws
    {
        let blobs = try await store(kind)
        let names = ["j/b-1/y", "j/b/1/x", "j/b/2", "j/b.c", "j/b0", "j.x/1", "j-x/1"].map(name)
        for file in names { _ = try await blobs.put([1], as: file) }
        for limit in 1...4 {
            var paged: [BlobName] = []
            while true {
                let page = try await blobs.list(under: nil, after: paged.last, limit: limit)
                if page.isEmpty { break }
                paged += page.map(\.name)
                guard paged.count <= names.count else { break }
            }
            #expect(paged.sorted() == names.sorted())
        }
    }

    /// More than one page of S3, and more than one batch.
    @Test(arguments: [Kind.directory, .seaweed]) func `thousands are listed and removed`(kind: Kind) async throws {
        let blobs = try await store(kind)
        let names = (0..<1100).map { name("many/\(10_000 + $0)/x") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<16 {
                group.addTask {
                    for index in stride(from: lane, to: names.count, by: 16) {
                        _ = try await blobs.put([1], as: names[index])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await blobs.list(under: name("many"), limit: 5000).map(\.name) == names)
        let directories = (0..<1100).map { "\(10_000 + $0)" }
        #expect(try await blobs.directories(under: name("many"), after: nil, limit: 5000) == directories)
        let page = try await blobs.directories(under: name("many"), after: "10049", limit: 1020)
        #expect(page == Array(directories[50..<1070]))
        try await blobs.remove(names)
        #expect(try await blobs.list(under: nil, after: nil, limit: 1).isEmpty)
    }

    private func leftInScratch() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root.path + "/scratch")
            .filter { !$0.hasSuffix(".lock") && !$0.hasSuffix(".gate") && $0.contains("/") }
    }
}

func sha256(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }
