import Antivirus
import Blobs
import ClipModel
import Foundation
import Jobs
import Logging
import Media
import Stages
import Store
import Synchronization
import TestSupport
import Testing

/// What a real clamd knows never reaches a decoder.
@Suite(.enabled(if: ClamdServer.isInstalled), .timeLimit(.minutes(2))) struct GateTests {
    enum Clothing: String, CaseIterable, Sendable {
        case alone, mp4, zip, endOfFile, endOfManyPieces, borderOfTwoPieces

        /// EICAR, dressed up.
        func bytes() throws -> [UInt8] {
            let eicar = ClamdServer.eicar
            switch self {
            case .alone: return eicar
            case .mp4: return Self.mp4(eicar)
            case .zip: return try Self.zip(eicar)
            case .endOfFile: return Self.mp4([UInt8](repeating: 7, count: 300_000)) + eicar
            case .endOfManyPieces: return Self.mp4([UInt8](repeating: 7, count: 5_000_000)) + eicar
            case .borderOfTwoPieces:
                // Half of it before the end of the first MiB, half behind.
                return Self.mp4([UInt8](repeating: 7, count: (1 << 20) - 34 - 40 - Self.movie.count) + eicar)
            }
        }

        /// What a walk over boxes takes for a video: `ftyp`, `moov`, `mdat`.
        static func mp4(_ content: [UInt8]) -> [UInt8] {
            box("ftyp", Array("isom".utf8) + [0, 0, 2, 0] + Array("isommp41".utf8)) + movie + box("mdat", content)
        }

        static var movie: [UInt8] {
            let handler = box("hdlr", [0, 0, 0, 0, 0, 0, 0, 0] + Array("vide".utf8) + [UInt8](repeating: 0, count: 13))
            return box("moov", box("trak", box("mdia", handler)))
        }

        private static func box(_ name: String, _ content: [UInt8]) -> [UInt8] {
            let size = UInt32(content.count + 8)
            return [UInt8(size >> 24), UInt8(size >> 16 & 255), UInt8(size >> 8 & 255), UInt8(size & 255)]
                + Array(name.utf8) + content
        }

        /// Deflated, so that its bytes stand nowhere as they are.
        private static func zip(_ content: [UInt8]) throws -> [UInt8] {
            let folder = FileManager.default.temporaryDirectory.appending(path: "zip-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let script = """
                import sys, zipfile
                with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:
                    z.writestr('video.mp4', open(sys.argv[2], 'rb').read() + b' ' * 4000)
                """
            try Data(content).write(to: folder.appending(path: "in"))
            try Child.run(
                "python3", ["-c", script, folder.appending(path: "out").path, folder.appending(path: "in").path])
            return Array(try Data(contentsOf: folder.appending(path: "out")))
        }
    }

    @Test(arguments: Clothing.allCases)
    func `malware in any clothing is put away and never opened`(clothing: Clothing) async throws {
        let bytes = try clothing.bytes()
        try await ClamdServer.inFolder { folder in
            try await ClamdServer.run(in: folder, settings: "StreamMaxLength 1M") { server in
                try await Gatehouse.open(server.address) { house in
                    let upload = try await house.upload(bytes)
                    let job = try await house.end(of: try await house.submit(upload.id))
                    #expect(job.status == .error && job.failure?.failure.code == "infected")
                    #expect(job.failure?.failure.reason.contains("Eicar") == true, "\(String(describing: job.failure))")
                    #expect(house.decoded.isEmpty, "\(house.decoded)")
                    #expect(try await house.blobs.size(of: upload.blob) == nil, "it is served no more")
                    let kept = QuarantineEntry.blobName(of: upload.id)
                    #expect(try await house.blobs.bytes(of: kept, limitBytes: 8 << 20) == bytes)
                    let entry = try #require(await house.store.quarantineEntries(before: nil, limit: 9).first)
                    #expect(entry.upload == upload.id && entry.job == job.id && entry.tenant == "ana")
                    #expect(entry.sha256 == upload.sha256 && entry.bytes == Int64(bytes.count))
                    #expect(house.found.withLock { $0.count } == 1)
                }
            }
        }
    }

    @Test func `a clean file goes to the decoders`() async throws {
        try await ClamdServer.inFolder { folder in
            try await ClamdServer.run(in: folder, settings: "StreamMaxLength 1M") { server in
                try await Gatehouse.open(server.address) { house in
                    let bytes = Clothing.mp4([UInt8](repeating: 7, count: 3_000_000))
                    let id = try await house.submit(bytes)
                    let job = try await house.end(of: id)
                    #expect(try await house.scan(of: id).state == .done)
                    #expect(!house.decoded.isEmpty)
                    #expect(job.failure?.stage == StageKey(.probe), "the decoders of this test decode nothing")
                }
            }
        }
    }

    @Test func `another job of the same bytes ends at once, scanner or not`() async throws {
        let bytes = Clothing.mp4(ClamdServer.eicar)
        try await ClamdServer.inFolder { folder in
            let address = try #require(ClamdAddress(folder + "/socket"))
            try await Gatehouse.open(address) { house in
                let first = try await house.upload(bytes), second = try await house.upload(bytes)
                try await ClamdServer.run(in: folder) { _ in
                    let job = try await house.submit(first.id)
                    #expect(try await house.end(of: job).failure?.failure.code == "infected")
                }
                // Nobody scans any more.
                for upload in [first, second] {
                    let job = try await house.end(of: try await house.submit(upload.id))
                    #expect(job.failure?.failure.code == "infected")
                    #expect(try await house.blobs.size(of: upload.blob) == nil)
                    #expect(try await house.blobs.size(of: QuarantineEntry.blobName(of: upload.id)) == upload.bytes)
                }
                #expect(house.decoded.isEmpty)
            }
        }
    }

    @Test func `of two uploads that stand at one blob each is put away by itself`() async throws {
        let bytes = Clothing.mp4(ClamdServer.eicar)
        try await ClamdServer.inFolder { folder in
            let address = try #require(ClamdAddress(folder + "/socket"))
            try await Gatehouse.open(address) { house in
                // Nobody scans yet, so both have a job that ended without.
                for upload in [try await house.upload(bytes), try await house.upload(bytes)] {
                    _ = try await house.service.cancel(try await house.submit(upload.id))
                }
                let twins = try #require(await house.store.twins(withinSeconds: 3600, limit: 9).first)
                let given = try #require(await house.store.unite(twins))
                try await house.blobs.remove([given])
                try await ClamdServer.run(in: folder) { _ in
                    for (place, upload) in [twins.later, twins.earlier].enumerated() {
                        let job = try await house.end(of: try await house.submit(upload))
                        #expect(job.failure?.failure.code == "infected")
                        let kept = QuarantineEntry.blobName(of: upload)
                        #expect(try await house.blobs.bytes(of: kept, limitBytes: 1 << 20) == bytes)
                        let stands = try await house.blobs.size(of: twins.blob) != nil
                        #expect(stands == (place == 0), "it stays for the other one, which was not looked at yet")
                    }
                }
                #expect(house.decoded.isEmpty, "\(house.decoded)")
            }
        }
    }

    @Test func `while clamd is away jobs wait and say why, and go on when it is back`() async throws {
        try await ClamdServer.inFolder { folder in
            let address = try #require(ClamdAddress(folder + "/socket"))
            try await Gatehouse.open(address) { house in
                let id = try await house.submit(Clothing.mp4([1, 2, 3]))
                // More often than a stage may be tried.
                try await house.wait("one more try") {
                    await house.store.events(of: id, after: 0, limit: 1000).count { $0.kind == .stageRetried }
                        > Gatehouse.attemptsMax
                }
                let why = try #require(try await house.service.explain(id, members: nil))
                let text = why.stages.map { "\($0.text) \($0.error?.reason ?? "")" }.joined()
                let stage = try await house.scan(of: id)
                if stage.state == .ready { #expect(text.contains("virus scanner does not answer"), "\(text)") }
                #expect(stage.attempts <= 1, "waiting counts no attempt")
                #expect(await house.store.job(id)?.status == .processing)
                #expect(house.decoded.isEmpty)
                try await ClamdServer.run(in: folder) { _ in
                    try await house.wait("the end of the scan") { try await house.scan(of: id).state == .done }
                }
                _ = try await house.end(of: id)
                #expect(!house.decoded.isEmpty)
            }
        }
    }

    @Test func `what is refused anyway does not wait for clamd`() async throws {
        try await Gatehouse.open(ClamdAddress("/tmp/no-such-clamd.ctl")) { house in
            let job = try await house.end(of: try await house.submit(Array("Dear cluster, this is a letter.".utf8)))
            #expect(job.failure?.failure.code == "text_file")
        }
    }

    @Test func `an open gate lets jobs go on with a note`() async throws {
        try await Gatehouse.open(ClamdAddress("/tmp/no-such-clamd.ctl"), whenAway: .open) { house in
            let job = try await house.end(of: try await house.submit(Clothing.mp4([1, 2, 3])))
            #expect(job.notes.contains { $0.code == "not_scanned" }, "\(job.notes)")
            #expect(!house.decoded.isEmpty)
        }
    }

    @Test(arguments: [UploadGate.WhenLarge.refuse, .pass])
    func `large files are refused, or passed with a note, where that is wanted`(whenLarge: UploadGate.WhenLarge)
        async throws
    {
        try await Gatehouse.open(ClamdAddress("/tmp/no-such-clamd.ctl"), whenLarge: whenLarge) { house in
            let job = try await house.end(
                of: try await house.submit(Clothing.mp4([UInt8](repeating: 7, count: 2 << 20))))
            if whenLarge == .refuse {
                #expect(job.failure?.failure.code == "too_large_to_scan")
                #expect(house.decoded.isEmpty)
            } else {
                #expect(job.notes.contains { $0.code == "not_scanned" }, "\(job.notes)")
                #expect(!house.decoded.isEmpty)
            }
        }
    }

    @Test func `clamd that takes less than we send makes jobs wait with what to set`() async throws {
        try await ClamdServer.inFolder { folder in
            try await ClamdServer.run(in: folder, settings: "StreamMaxLength 1M") { server in
                try await Gatehouse.open(server.address, streamBytesMax: (1 << 20) + 1) { house in
                    let id = try await house.submit(Clothing.mp4([UInt8](repeating: 7, count: 2 << 20)))
                    try await house.wait("a retry") {
                        await house.store.events(of: id, after: 0, limit: 1000).contains { event in
                            event.failure?.code == "antivirus_away"
                                && event.failure?.hint.contains("StreamMaxLength") == true
                        }
                    }
                    #expect(house.decoded.isEmpty)
                }
            }
        }
    }

    @Test func `quarantined bytes are removed after their days, and are then looked at anew`() async throws {
        let bytes = Clothing.mp4(ClamdServer.eicar)
        try await ClamdServer.inFolder { folder in
            try await ClamdServer.run(in: folder) { server in
                try await Gatehouse.open(server.address) { house in
                    let upload = try await house.upload(bytes)
                    _ = try await house.end(of: try await house.submit(upload.id))
                    let kept = QuarantineEntry.blobName(of: upload.id)
                    try await sweep(house, days: 1)
                    #expect(try await house.blobs.size(of: kept) != nil)
                    try await sweep(house, days: 0)
                    #expect(try await house.blobs.size(of: kept) == nil)
                    #expect(await house.store.quarantined(sha256: upload.sha256) == nil)
                    let entry = try #require(await house.store.quarantineEntries(before: nil, limit: 1).first)
                    #expect(entry.emptiedAt != nil, "the book remembers")
                }
            }
        }
    }

    private func sweep(_ house: Gatehouse, days: Int) async throws {
        try await Sweeper(
            store: house.store, blobs: house.blobs, quarantine: SweptQuarantine(book: house.store, days: days),
            clock: ContinuousClock(), now: systemWallTime, chance: .system(), logger: .init(label: "test")
        ).upkeep()
    }
}
