import ClipModel
import Foundation
import HTTPClient
import Jobs
import SystemPackage
import TestSupport
import Testing

/// What stands beside the node of `IntakeTests`, which is told of it before it starts.
enum Surroundings {
    /// Of the web server. Held for as long as this process lives.
    static let port = try? LoopbackPort()
    static let scanner = "/tmp/tj-e2e-clam-\(getpid())"
    static var environment: [String: String] {
        Cluster.deadProxy.merging([
            "TIJERA_ANTIVIRUS_CLAMD": scanner + "/socket", "TIJERA_IMPORT_ENABLED": "on",
            "TIJERA_IMPORT_PRIVATE_NETWORKS": "127.0.0.1/32", "TIJERA_IMPORT_PORTS": "80,\(port?.number ?? 0)",
        ]) { $1 }
    }
}

extension EndToEndTests {
    /// What strangers send and what they name: seen by a real clamd, fetched from where operators allow it.
    @Suite(.cluster(nodes: 1, environment: Surroundings.environment)) struct IntakeTests {
        private let cluster: Cluster
        private let client: Client

        init() throws {
            cluster = try #require(ClusterTrait.running)
            client = Client(base: cluster.nodes[0].http)
        }

        // MARK: The scanner

        @Test func `what the scanner knows is never opened, and what nobody scans waits until somebody does`()
            async throws
        {
            let clean = cluster.folder + "/clean.mp4", infected = cluster.folder + "/infected.mp4"
            try await EndToEndTests.talk("scale=640:360")(clean)
            // It plays: players pass over this box.
            let box = [0, 0, 0, UInt8(8 + ClamdServer.eicar.count)] + Array("free".utf8) + ClamdServer.eicar
            try (Data(contentsOf: URL(filePath: clean)) + Data(box)).write(to: URL(filePath: infected))
            try await ClamdServer.inFolder(Surroundings.scanner) { scanner in
                try await ClamdServer.run(in: scanner) { _ in try await expectRefusal(of: infected) }
                // It is gone.
                let id = try await client.submit(client.upload(clean))
                try await expectWaiting(id)
                try await ClamdServer.run(in: scanner) { _ in
                    let job = try await client.end(of: id)
                    try #require(job.status == .ready, "\(String(describing: job.error))")
                    #expect(!job.clips.isEmpty)
                    #expect(!job.notes.contains { $0.code == "not_scanned" }, "\(job.notes)")
                }
            }
        }

        private func expectRefusal(of path: String) async throws {
            let upload = try await client.upload(path)
            let job = try await client.end(of: client.submit(upload))
            #expect(job.status == .error && job.error?.code == "infected", "\(String(describing: job.error))")
            #expect(job.stages.contains { $0.name == .scan && $0.state == .failed }, "\(job.stages)")
            #expect(job.stages.allSatisfy { $0.name == .scan || $0.attempts == 0 }, "it was opened: \(job.stages)")
            let book = try await client.http.send(
                HTTPRequest(
                    "GET", client.base + "/admin/v1/quarantine",
                    headers: [("Authorization", "Bearer " + cluster.adminToken)]))
            #expect(book.status == 200 && book.text.contains(upload.rawValue), "\(book.text)")
        }

        /// The client sees why in its job, and an operator with `tijera jobs why`.
        private func expectWaiting(_ id: JobID) async throws {
            let job = try await client.wait(for: id, seconds: 120) { job in
                job.status.hasEnded || job.stages.contains { $0.error?.code == "antivirus_away" }
            }
            #expect(!job.status.hasEnded, "\(String(describing: job.error))")
            #expect(job.stages.allSatisfy { $0.name == .scan || $0.attempts == 0 }, "it was opened: \(job.stages)")
            // For the moment of each try it only says that a node works on it.
            let clock = ContinuousClock(), deadline = clock.now + .seconds(60)
            var why = ""
            while !why.contains("virus scanner does not answer"), clock.now < deadline {
                why = try await Shell.run(
                    Cluster.executable, ["jobs", "why", id.rawValue], environment: ["TIJERA_DATA": cluster.folder]
                ).text
            }
            #expect(why.contains("virus scanner does not answer"), "\(why)")
        }

        // MARK: Addresses

        private struct Imported: Decodable {
            let uploadId: UploadID
            let sha256: String
        }

        @Test func `a video is fetched from where operators allow it, and from nowhere else`() async throws {
            let port = try #require(Surroundings.port).number
            let folder = cluster.folder + "/source", log = cluster.folder + "/source.log"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try await EndToEndTests.talk("scale=640:360", ["-t", "3"])(folder + "/charla.mp4")
            try await withSource(of: folder, at: port, log: log) {
                // Whoever is not held back gets the file at the other address, too.
                let open = try await HTTPClient().send(HTTPRequest("GET", "http://127.0.0.2:\(port)/charla.mp4"))
                #expect(open.status == 200)
                let addresses = [
                    "http://127.0.0.2:\(port)/charla.mp4", "http://127.0.0.1:\(port)/elsewhere/charla.mp4",
                    "http://169.254.169.254/latest/meta-data/",
                ]
                for address in addresses {
                    let answer = try await client.post("/api/imports", ["sourceUrl": address])
                    #expect(answer.status == 422, "\(address): \(answer.text)")
                    let problem = try JSONDecoder().decode(Client.Problem.self, from: Data(answer.body))
                    #expect(problem.code == "source_address_refused", "\(address): \(answer.text)")
                }
                let seen = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
                #expect(seen == ["127.0.0.2 /charla.mp4", "127.0.0.1 /elsewhere/charla.mp4"])
                try await expectImport(of: folder + "/charla.mp4", from: "http://127.0.0.1:\(port)/charla.mp4")
            }
        }

        /// It is an upload like any other.
        private func expectImport(of path: String, from address: String) async throws {
            let answer = try await client.post("/api/imports", ["sourceUrl": address])
            try #require(answer.status == 201, "\(answer.text)")
            let imported = try JSONDecoder().decode(Imported.self, from: Data(answer.body))
            let sum = try await Shell.run("sha256sum", [path])
            #expect(sum.standardOutput.hasPrefix(imported.sha256), "\(sum.text)")
            try await ClamdServer.inFolder(Surroundings.scanner) { scanner in
                try await ClamdServer.run(in: scanner) { _ in
                    let job = try await client.end(of: client.submit(imported.uploadId))
                    #expect(job.status == .ready, "\(String(describing: job.error))")
                    #expect(job.upload.fileName == "charla.mp4")
                }
            }
        }

        /// It ends when its input does, so also with this process.
        private func withSource(
            of folder: String, at port: Int, log: String, _ body: () async throws -> Void
        ) async throws {
            let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "import_source.py").path
            let source = try Child(
                Cluster.environment("TIJERA_PYTHON"), [script, folder, "\(port)", log], input: .pipe, output: .pipe)
            defer {
                try? source.input?.close()
                source.wait()
                try? source.output?.close()
            }
            let said = try source.output?.readSome() ?? []
            try #require(!said.isEmpty, "the web server did not start")
            try await body()
        }
    }
}
