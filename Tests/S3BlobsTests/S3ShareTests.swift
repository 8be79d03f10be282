import Blobs
import ClipModel
import Foundation
import Testing

@testable import S3Blobs

/// What requests of one node share with each other, and what they take from the environment.
@Suite(.timeLimit(.minutes(5))) struct S3ShareTests {
    private let root: TemporaryDirectory
    init() throws { root = try TemporaryDirectory() }

    private func store(_ endpoint: String, _ change: (inout S3Configuration) -> Void) throws -> S3BlobStore {
        var configuration = S3Configuration(endpoint: endpoint, region: "us-east-1", bucket: "b")
        change(&configuration)
        let client = try S3Client(
            configuration, credentials: .fixed(S3Server.credentials), clock: ContinuousClock(), now: wallTime,
            chance: { 0.5 }, logger: quiet)
        return try S3BlobStore(
            client: client, room: LocalRoom(root: root.path, limits: BlobLimits(freeBytesMin: 0)),
            cacheBytesMax: 1 << 20)
    }

    @Test func `a client whose request hangs takes no turn of work, nor the other way round`() async throws {
        for hangsForClients in [true, false] {
            let asked = Notes<String>()
            let (gate, opener) = AsyncStream.makeStream(of: Void.self)
            try await HTTPDouble.run { question in
                asked.add(question.target)
                // Ends when the gate is opened.
                if question.target.contains("slow") { for await _ in gate {} }
                return HTTPDouble.Reply(status: 404)
            } _: { double in
                let work = try store(double.url) { $0.requestsMax = 1 }
                let clients = work.another(patience: .seconds(30), requestsMax: 1)
                let (hanging, free) = hangsForClients ? (clients, work) : (work, clients)
                try await withThrowingTaskGroup(of: Int64?.self) { group in
                    group.addTask { try await hanging.size(of: name("slow")) }
                    while asked.all.isEmpty { await Task.yield() }
                    #expect(try await free.size(of: name("quick")) == nil)
                    #expect(asked.all == ["/b/slow", "/b/quick"])
                    opener.finish()
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func `a proxy that is named is gone through, with the address of the service`() async throws {
        let asked = Notes<String>()
        try await HTTPDouble.run { question in
            asked.add("\(question.method) \(question.target) \(question.headers["host"] ?? "")")
            return HTTPDouble.Reply(status: 404)
        } _: { double in
            // Nobody knows this name (RFC 2606), and nobody has to.
            let blobs = try store("http://storage.invalid:9000") { $0.proxy = double.url }
            #expect(try await blobs.size(of: name("a")) == nil)
        }
        #expect(asked.all.count == 1)
        let line = try #require(asked.all.first)
        #expect(line.hasPrefix("HEAD ") && line.contains("/b/a") && line.contains("storage.invalid:9000"), "\(line)")
    }
}
