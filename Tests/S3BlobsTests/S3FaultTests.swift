import Blobs
import ClipModel
import Foundation
import HTTPClient
import Testing

@testable import S3Blobs

/// A real SeaweedFS, seen through what goes wrong on the way.
@Suite struct S3FaultTests {
    private let root: TemporaryDirectory
    init() throws { root = try TemporaryDirectory() }

    private func withFaults(
        _ change: @escaping @Sendable (inout S3Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (S3BlobStore, FaultyService) async throws -> Void
    ) async throws {
        let server = try await S3Server.shared(.seaweed)
        let root = root
        try await FaultyService.run(before: server) { faulty in
            try await body(try server.store(at: faulty.double.url, in: root, change), faulty)
        }
    }

    static let refusals: [FaultyService.Fault] = [
        .refuse(500, "InternalError"), .refuse(503, "SlowDown"), .refuse(503, "ServiceUnavailable"), .refuse(502, ""),
        .refuse(429, "TooManyRequests"), .refuse(400, "RequestTimeout"), .loseAnswer,
    ]

    @Test(arguments: refusals) func `what is written through a trouble that passes stands as it was sent`(
        fault: FaultyService.Fault
    ) async throws {
        try await withFaults { blobs, faulty in
            let bytes = sample(12 << 20)
            faulty.plan(fault) { $0.method == "POST" && $0.target.contains("uploads") }
            faulty.plan(fault) { $0.method == "PUT" && $0.target.contains("partNumber=2") }
            faulty.plan(fault) { $0.method == "POST" && $0.target.contains("uploadId") }
            let writer = try await blobs.writer(for: name("a"), limitBytes: 1 << 30)
            try await writer.write(bytes)
            #expect(try await writer.commit().sha256 == sha256(bytes))
            #expect(try await blobs.bytes(of: name("a"), limitBytes: bytes.count) == bytes)
            faulty.plan(fault) { $0.method == "PUT" }
            faulty.plan(fault) { $0.method == "HEAD" }
            faulty.plan(fault) { $0.method == "GET" && $0.target.contains("list-type") }
            faulty.plan(fault) { $0.method == "POST" && $0.target.contains("delete") }
            _ = try await blobs.put([1], as: name("b"))
            #expect(try await blobs.size(of: name("b")) == 1)
            #expect(try await blobs.list(under: nil, after: nil, limit: 10).count == 2)
            try await blobs.remove([name("a"), name("b")])
            #expect(try await blobs.list(under: nil, after: nil, limit: 10).isEmpty)
        }
    }

    @Test func `a free name that was taken by the try whose answer was lost is ours`() async throws {
        try await withFaults { blobs, faulty in
            faulty.plan(.loseAnswer) { $0.method == "PUT" }
            _ = try await blobs.put([1], as: name("first"), if: .absent)
            #expect(await code { _ = try await blobs.put([2], as: name("first"), if: .absent) } == .exists)
            // Others who lost an answer do not take it for theirs.
            faulty.plan(.loseAnswer) { $0.method == "PUT" }
            #expect(await code { _ = try await blobs.put([2], as: name("first"), if: .absent) } == .exists)
        }
    }

    @Test func `what was carried out though a balancer said to come back later is ours`() async throws {
        try await withFaults { blobs, faulty in
            faulty.plan(.replaceAnswer(503)) { $0.method == "PUT" }
            _ = try await blobs.put([1], as: name("whole"), if: .absent)
            faulty.plan(.replaceAnswer(503)) { $0.method == "POST" && $0.target.contains("uploadId") }
            let bytes = sample(6 << 20)
            let writer = try await blobs.writer(for: name("parts"), limitBytes: 1 << 30)
            try await writer.write(bytes)
            #expect(try await writer.commit().sha256 == sha256(bytes))
            #expect(try await blobs.bytes(of: name("parts"), limitBytes: bytes.count) == bytes)
        }
    }

    @Test func `a copy goes on where the connection was cut, and no byte comes twice`() async throws {
        try await withFaults { configuration in
            configuration.fetchParallel = 1
        } _: { blobs, faulty in
            let bytes = sample(8 << 20)
            _ = try await blobs.put(bytes, as: name("large"))
            faulty.plan(.cutAfter(3 << 20)) { $0.method == "GET" && $0.headers["range"] == "bytes=0-5242879" }
            try await blobs.withScratch(named: "cut") { scratch in
                let path = try await blobs.localFile(of: name("large"), sha256: sha256(bytes), in: scratch)
                #expect(try Array(Data(contentsOf: URL(filePath: path))) == bytes)
            }
            let ranges = faulty.seen.all.compactMap(\.range)
            #expect(ranges.count == 3 && ranges.first == "bytes=0-5242879" && ranges.last == "bytes=5242880-8388607")
            let resumed = try #require(ranges.dropFirst().first.flatMap { Int($0.dropFirst(6).prefix { $0 != "-" }) })
            #expect(resumed > 0 && resumed <= 3 << 20)
        }
    }

    @Test func `a service that knows no ranges is told in words, and asked once`() async throws {
        try await withFaults { blobs, faulty in
            _ = try await blobs.put(sample(1000), as: name("clip"))
            faulty.plan(.ignoreRange) { $0.method == "GET" }
            let refusal = try await blobs.withScratch(named: "ranges") { scratch in
                await code { _ = try await blobs.localFile(of: name("clip"), sha256: nil, in: scratch) }
            }
            #expect(refusal == .broken)
            #expect(faulty.seen.all.count { $0.method == "GET" } == 1)
        }
    }

    @Test func `a block of a download that is cut is asked for again`() async throws {
        try await withFaults { blobs, faulty in
            let bytes = sample(3 << 20)
            _ = try await blobs.put(bytes, as: name("video"))
            faulty.plan(.cutAfter(1000)) { $0.method == "GET" }
            #expect(try await blobs.bytes(of: name("video"), limitBytes: bytes.count) == bytes)
        }
    }

    @Test func `a copy with a wrong bit is not given to any tool`() async throws {
        try await withFaults { blobs, faulty in
            _ = try await blobs.put(sample(1000), as: name("clip"))
            faulty.plan(.flipBit) { $0.method == "GET" }
            try await blobs.withScratch(named: "wrong") { scratch in
                #expect(
                    await code { _ = try await blobs.localFile(of: name("clip"), sha256: nil, in: scratch) } == .corrupt
                )
                let path = try await blobs.localFile(of: name("clip"), sha256: nil, in: scratch)
                #expect(try Array(Data(contentsOf: URL(filePath: path))) == sample(1000))
                let other = sha256([1])
                _ = try await blobs.put(sample(1000), as: name("other"))
                #expect(
                    await code { _ = try await blobs.localFile(of: name("other"), sha256: other, in: scratch) }
                        == .corrupt)
            }
        }
    }

    @Test func `a body that was changed on the way is refused by the service and sent again`() async throws {
        try await withFaults { blobs, faulty in
            faulty.plan(.flipSentBit) { $0.method == "PUT" }
            _ = try await blobs.put(sample(1000), as: name("clip"))
            #expect(try await blobs.bytes(of: name("clip"), limitBytes: 1000) == sample(1000))
            #expect(faulty.seen.all.count { $0.method == "PUT" } == 2)
        }
    }

    @Test func `a service that stays broken is given up after the patience, and told in words`() async throws {
        // Nobody listens on the port of a protocol that throws everything away.
        let server = try await S3Server.shared(.seaweed)
        let away = try server.store(at: "http://127.0.0.1:9", in: root) { $0.patience = .milliseconds(300) }
        #expect(await code { _ = try await away.size(of: name("a")) } == .unavailable)
        // With this patience the first pause is already too long.
        try await withFaults {
            $0.patience = .milliseconds(50)
        } _: { blobs, faulty in
            faulty.plan(.refuse(500, "InternalError")) { $0.method == "PUT" }
            await #expect {
                _ = try await blobs.put([1], as: name("a"))
            } throws: { error in
                let failure = (error as? BlobError)?.failure
                return failure?.class == .transient && failure?.code == "blob_store_unavailable"
                    && "\(error)".contains("InternalError")
            }
        }
    }

    @Test func `a service that says nothing is given up and asked again`() async throws {
        try await withFaults {
            $0.stalledSecondsMax = 1
        } _: { blobs, faulty in
            faulty.plan(.stall) { $0.method == "PUT" }
            _ = try await blobs.put([1], as: name("slow"))
            #expect(try await blobs.size(of: name("slow")) == 1)
        }
    }

    @Test func `a slow service is waited for, and asked once`() async throws {
        try await withFaults {
            $0.stalledSecondsMax = 60
        } _: { blobs, faulty in
            let pause = FaultyService.Fault.slow(.milliseconds(1200))
            faulty.plan(pause) { $0.method == "PUT" }
            faulty.plan(pause) { $0.method == "GET" }
            _ = try await blobs.put(sample(1000), as: name("slow"))
            #expect(try await blobs.bytes(of: name("slow"), limitBytes: 1000) == sample(1000))
            #expect(faulty.seen.all.map(\.method) == ["PUT", "HEAD", "HEAD", "GET"])
        }
    }

    @Test func `a caller who is cancelled waits for nothing`() async throws {
        try await withFaults { blobs, faulty in
            faulty.plan(.stall) { $0.method == "PUT" }
            await withTaskGroup(of: Bool.self) { group in
                group.addTask { await code { _ = try await blobs.put([1], as: name("slow")) } == .unavailable }
                while faulty.seen.all.isEmpty { await Task.yield() }
                group.cancelAll()
                #expect(await group.next() == true)
            }
        }
    }

    @Test func `a wrong secret is denied, and a bucket that is not there is named`() async throws {
        let server = try await S3Server.shared(.seaweed)
        let wrong = S3Credentials(accessKey: S3Server.credentials.accessKey, secretKey: "wrong")
        let denied = try server.store(as: wrong, in: root)
        #expect(await code { _ = try await denied.put([1], as: name("a")) } == .denied)
        #expect(await code { _ = try await denied.size(of: name("a")) } == .denied)
        let nowhere = try server.store(in: root) { $0.bucket = "no-such-bucket" }
        #expect(await code { _ = try await nowhere.list(under: nil, after: nil, limit: 1) } == .denied)
    }

    @Test(arguments: ["ftp://x", "http://", "http://host/path", "host:9000", "http://user@host"])
    func `an endpoint that is no address of a service is refused in words`(endpoint: String) async throws {
        let server = try await S3Server.shared(.seaweed)
        #expect(await code { _ = try server.store(at: endpoint, in: root) } == .broken)
    }

    @Test func `uploads of ours that nobody ended are swept after their time, and not before`() async throws {
        let server = try await S3Server.shared(.seaweed)
        let blobs = try server.store(in: root)
        for key in ["uploads/left", "others/left"] {
            let writer = try await blobs.writer(for: name(key), limitBytes: 1 << 30)
            try await writer.write(sample(11 << 20))
            // As when the node dies: neither committed nor discarded.
        }
        #expect(try await blobs.sweep() == 0)
        var configuration = blobs.configuration
        configuration.staleSeconds = 0
        let later = try S3BlobStore(
            client: server.client(configuration), room: blobs.room, cacheBytesMax: 1 << 20)
        #expect(try await later.sweep() == 1, "what stands under no root of ours is another's")
        #expect(try await later.sweep() == 0)
    }

    @Test(
        arguments: [
            [.refuse(403, "AccessDenied")], [.refuse(501, "NotImplemented")],
            [.refuse(404, "NoSuchLifecycleConfiguration"), .refuse(400, "MalformedXML")],
        ] as [[FaultyService.Fault]])
    func `a service that takes no lifecycle from us is asked once and swept all the same`(
        faults: [FaultyService.Fault]
    ) async throws {
        try await withFaults {
            $0.setsLifecycle = true
        } _: { blobs, faulty in
            for fault in faults { faulty.plan(fault) { $0.target.contains("lifecycle") } }
            for _ in 0..<2 { _ = try await blobs.sweep() }
            #expect(faulty.seen.all.count { $0.target.contains("lifecycle") } == faults.count)
            #expect(faulty.seen.all.count { $0.target.contains("uploads") } == 2)
        }
    }

    @Test func `a page of directories is one request, however many come after it`() async throws {
        try await withFaults { blobs, faulty in
            for place in 0..<5 { _ = try await blobs.put([1], as: name("j/\(place)/x")) }
            #expect(try await blobs.directories(under: name("j"), after: "1", limit: 2) == ["2", "3"])
            #expect(faulty.seen.all.count { $0.target.contains("delimiter") } == 1)
        }
    }

    @Test func `a link downloads without credentials under the name it says, in parts too, until it is too old`()
        async throws
    {
        let server = try await S3Server.shared(.seaweed)
        let blobs = try server.store(in: root) { configuration in
            configuration.redirectsDownloads = true
            configuration.linkSeconds = 900
        }
        _ = try await blobs.put(sample(1000), as: name("clips/one.mp4"))
        let terms = DownloadTerms(contentType: "video/mp4", disposition: "attachment; filename=\"la charla.mp4\"")
        let link = try #require(try await blobs.downloadLink(of: name("clips/one.mp4"), terms))
        let whole = try await HTTPClient().send(HTTPRequest("GET", link))
        #expect(whole.status == 200 && whole.body == sample(1000))
        #expect(whole.headers["content-type"] == "video/mp4")
        #expect(whole.headers["content-disposition"] == terms.disposition)
        let part = try await HTTPClient().send(HTTPRequest("GET", link, headers: [("Range", "bytes=10-19")]))
        #expect(part.status == 206 && part.body == Array(sample(1000)[10..<20]))
        let forged = try await HTTPClient().send(HTTPRequest("GET", link.replacing("one.mp4", with: "two.mp4")))
        #expect(forged.status == 403)
        #expect(await code { _ = try await blobs.downloadLink(of: name("none"), terms) } == .missing)
        let plain = try server.store(in: root)
        #expect(try await plain.downloadLink(of: name("clips/one.mp4"), terms) == nil)
        // Signed an hour ago, for a quarter of one.
        let old = SignatureV4(credentials: S3Server.credentials, region: "us-east-1").link(
            to: SignatureV4.Request(
                method: "GET", host: String(server.endpoint.dropFirst("http://".count)),
                path: "/\(S3Server.bucket)/\(blobs.key(of: name("clips/one.mp4")))"),
            scheme: "http", at: wallTime().advanced(bySeconds: -3600), seconds: 900)
        #expect(try await HTTPClient().send(HTTPRequest("GET", old)).status == 403)
    }

    @Test func `what a restart of the service interrupts goes on, and nothing that was stored is lost`() async throws {
        let server = try await S3Server.launch(.seaweed)
        let blobs = try server.store(in: root)
        let bytes = sample(6 << 20)
        _ = try await blobs.put(bytes, as: name("before"))
        server.kill()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await blobs.put([1], as: name("during")) }
            try server.start()
            try await group.waitForAll()
        }
        #expect(try await blobs.size(of: name("during")) == 1)
        #expect(try await blobs.bytes(of: name("before"), limitBytes: bytes.count) == bytes)
        server.kill()
    }
}
