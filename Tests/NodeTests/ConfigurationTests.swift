import Foundation
import Membership
import Node
import Testing

@Suite struct ConfigurationTests {
    static let good = """
        node:
          name: eu-1
          region: eu
        cluster:
          certificate: /proc/self/exe
          key: /proc/self/exe
          authorities: /proc/self/exe
        store:
          url: postgresql://localhost/tijera
        blobs:
          directory: /var/lib/tijera/blobs
        speech:
          model: /proc/self/exe
        vision:
          faceModel: /proc/self/exe
        """

    private func load(
        _ yaml: String, environment: [String: String] = [:], overrides: [String] = []
    ) throws -> NodeConfiguration {
        let path = FileManager.default.temporaryDirectory.appending(path: "tijera-\(UUID().uuidString).yaml").path
        try yaml.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try NodeConfiguration(path: path, environment: environment, overrides: overrides)
    }

    private func problems(
        _ yaml: String, environment: [String: String] = [:], overrides: [String] = []
    ) throws -> String {
        do {
            _ = try load(yaml, environment: environment, overrides: overrides)
            return ""
        } catch let error as ConfigurationError {
            return error.problems.joined(separator: "\n")
        }
    }

    @Test func `minutes of clients have no limit unless one is set`() throws {
        #expect(try load(Self.good).clientMinutesMax == nil)
        #expect(try load(Self.good, overrides: ["clients.minutesMax=600"]).clientMinutesMax == 600)
        #expect(try problems(Self.good, overrides: ["clients.minutesMax=-1"]).contains("clients.minutesMax"))
    }

    @Test func `the flag beats the environment, the environment the file, the file the default`() throws {
        let yaml = Self.good + "\nhttp:\n  port: 9001\n"
        #expect(try load(Self.good).httpPort == 8080)
        #expect(try load(yaml).httpPort == 9001)
        #expect(try load(yaml, environment: ["TIJERA_HTTP_PORT": "9002"]).httpPort == 9002)
        #expect(
            try load(yaml, environment: ["TIJERA_HTTP_PORT": "9002"], overrides: ["http.port=9003"]).httpPort == 9003)
    }

    @Test func `an unknown key is refused with its line and the key that was meant`() throws {
        let text = try problems(Self.good + "\nhttp:\n  portt: 9001\n")
        #expect(text.contains(".yaml:17: unknown key \"http.portt\"; did you mean \"http.port\"?"), "\(text)")
        #expect(try problems(Self.good + "\nhtpt:\n  port: 9001\n").contains("unknown section \"htpt\""))
    }

    @Test(arguments: [
        ("http:\n  port: many", "\"http.port\" must be a whole number"),
        ("http:\n  port: 70000", "between 1 and 65535"),
        ("log:\n  level: loud", "must be one of trace, debug"), ("http:\n  port: [1, 2]", "must be a single value"),
        ("http: 8080", "must hold keys"), ("http:\n\tport: 1", "is not YAML"),
    ])
    func `a wrong value is refused in words`(yaml: String, expected: String) throws {
        let text = try problems(Self.good + "\n" + yaml + "\n")
        #expect(text.contains(expected), "\(text)")
    }

    @Test func `a wrong value in the environment or on the command line is refused too`() throws {
        #expect(try problems(Self.good, environment: ["TIJERA_HTTP_PORT": "x"]).contains("TIJERA_HTTP_PORT must be"))
        #expect(
            try problems(Self.good, environment: ["TIJERA_HTTP_PROT": "1"]).contains(
                "TIJERA_HTTP_PROT is not a setting"))
        #expect(try problems(Self.good, environment: ["TIJERA_CACHE": "/tmp"]).isEmpty)
        #expect(try problems(Self.good, overrides: ["http.port"]).contains("must be KEY=VALUE"))
        #expect(try problems(Self.good, overrides: ["nothing.here=1"]).contains("must be KEY=VALUE"))
    }

    @Test func `everything that is missing is named at once`() throws {
        let text = try problems("node:\n  region: eu\n")
        for key in ["node.name", "store.url", "blobs.directory", "speech.model", "vision.faceModel"] {
            #expect(text.contains("\(key) must be set"), "\(text)")
        }
    }

    @Test func `a model that is not there is told before the node starts`() throws {
        let text = try problems(Self.good.replacing("model: /proc/self/exe", with: "model: /no/such/model.bin"))
        #expect(text.contains("speech.model: there is no readable file at /no/such/model.bin"), "\(text)")
    }

    @Test func `printing hides secrets and gives every key its environment name`() throws {
        let values = try ConfigurationValues(
            path: nil, environment: ["TIJERA_STORE_URL": "postgresql://user:secret@host/db", "TIJERA_NODE_NAME": "a"],
            overrides: [
                "blobs.directory=/b", "speech.model=/m", "vision.faceModel=/f", "cluster.certificate=/c",
                "cluster.key=/k", "cluster.authorities=/a",
            ])
        let text = values.rendered()
        #expect(!text.contains("secret@"))
        #expect(text.contains("TIJERA_HTTP_UPLOAD_BYTES_MAX"))
        for setting in Setting.all { #expect(text.contains(setting.environmentName), "\(setting.key)") }
        #expect(Set(Setting.all.map(\.environmentName)).count == Setting.all.count)
    }

    @Test func `seeds are addresses, and a node is not its own seed`() throws {
        let yaml = Self.good.replacing(
            "  certificate:",
            with: "  port: 7401\n  seeds: \"127.0.0.1:7400, 127.0.0.1:7401,[::1]:7402\"\n  certificate:")
        let cluster = try load(yaml).cluster
        #expect(cluster.seeds.map(\.description) == ["127.0.0.1:7400", "[::1]:7402"])
        #expect(cluster.address.description == "127.0.0.1:7401")
        for wrong in ["here", "::1:7400", ":7400", "host:0", "host:many"] {
            let text = try problems(Self.good, overrides: ["cluster.seeds=\(wrong)"])
            #expect(text.contains("cluster.seeds"), "\(wrong): \(text)")
        }
    }

    @Test func `a name that certificates of others may hold is refused`() throws {
        #expect(try problems(Self.good, overrides: ["node.name=localhost"]).contains("node.name must not be localhost"))
    }

    @Test func `tokens are read from files, long enough, and the one for looking is another`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ token: String) throws -> String {
            let path = folder.appending(path: name).path
            try (token + "\n").write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }
        let change = try file("change", "0123456789abcdef"), look = try file("look", "fedcba9876543210")
        let both = try load(Self.good, overrides: ["admin.tokenFile=\(change)", "admin.readTokenFile=\(look)"])
        #expect(both.adminToken == "0123456789abcdef" && both.adminReadToken == "fedcba9876543210")
        let none = try load(Self.good)
        #expect(none.adminToken == nil && none.adminReadToken == nil)
        let same = try problems(Self.good, overrides: ["admin.tokenFile=\(change)", "admin.readTokenFile=\(change)"])
        #expect(same.contains("admin.readTokenFile: the token is that of admin.tokenFile"))
        let short = try file("short", "0123456789abcde")
        #expect(try problems(Self.good, overrides: ["admin.readTokenFile=\(short)"]).contains("fewer than 16"))
    }

    @Test func `keys of a bucket stand one step deeper, or on one line with dots`() throws {
        let deep = """
              kind: s3
              s3:
                endpoint: http://127.0.0.1:9000
                bucket: clips
            """
        let nested = Self.good.replacing("blobs:\n", with: "blobs:\n\(deep)\n")
        #expect(try problems(nested) == "")
        let dotted = Self.good.replacing("blobs:\n", with: "blobs:\n  kind: s3\n  s3.bucket: clips\n")
        #expect(try problems(dotted) == "")
        let unknown = try problems(nested.replacing("bucket:", with: "buckett:"))
        #expect(unknown.contains("unknown key \"blobs.s3.buckett\"") && unknown.contains("did you mean"))
        #expect(try problems(nested + "\nlog:\n  level:\n    deep: 1").contains("\"log.level\" must be a single value"))
    }

    @Test(
        arguments: [
            ([], "blobs.s3.bucket must be set"),
            (["blobs.s3.bucket=b", "blobs.s3.prefix=/x"], "blobs.s3.prefix must be"),
            (["blobs.s3.bucket=b", "blobs.s3.accessKey=a"], "must both be set, or neither"),
            (["blobs.s3.bucket=b", "blobs.s3.credentials=settings"], "blobs.s3.secretKey are not set"),
            (["blobs.s3.bucket=b", "blobs.s3.authorities=/none"], "no readable file at /none"),
            (["blobs.s3.bucket=b", "blobs.s3.proxy=proxy.example:3128"], "blobs.s3.proxy must be http://host:port"),
            (["blobs.s3.bucket=b", "blobs.s3.partBytes=1"], "blobs.s3.partBytes must be between"),
            (["blobs.directory=here"], "blobs.directory must be an absolute path"),
        ])
    func `a bucket that cannot be used is refused with the key to change`(overrides: [String], problem: String) throws {
        #expect(try problems(Self.good, overrides: ["blobs.kind=s3"] + overrides).contains(problem))
    }

    @Test(
        arguments: [
            (["limits.redis.url=redis://:secret@redis.internal/3"], ""),
            (["limits.redis.url=unix:///run/redis.sock"], ""),
            (["limits.redis.url=redis.internal:6379"], "limits.redis.url must be redis://"),
            (["limits.redis.url=http://:secret@host"], "limits.redis.url must be redis://"),
            (
                ["limits.redis.url=redis://host", "limits.redis.connectMilliseconds=20"],
                "limits.redis.connectMilliseconds must not be less"
            ),
            (["limits.redis.answerMilliseconds=0"], "limits.redis.answerMilliseconds must be between"),
        ])
    func `a Redis for limits is one URL, which is not repeated when it is wrong`(
        overrides: [String], problem: String
    ) throws {
        let found = try problems(Self.good, overrides: overrides)
        #expect(problem.isEmpty ? found.isEmpty : found.contains(problem))
        #expect(!found.contains("secret"))
    }

    @Test func `work and clients share the requests to a bucket, and each has one`() {
        for most in 2...1000 {
            let (work, clients) = BlobSettings.shares(of: most)
            #expect(work + clients == most && clients >= 1 && (work - clients == 0 || work - clients == 1))
        }
        let least = BlobSettings.shares(of: 1)
        #expect(least.work == 1 && least.clients == 1)
    }

    @Test func `what nothing names stays in a bucket for longer than any object may be on its way`() throws {
        #expect(try load(Self.good).blobs.leftoverSeconds == 3600)
        let bucket = ["blobs.kind=s3", "blobs.s3.bucket=b"]
        #expect(try load(Self.good, overrides: bucket).blobs.leftoverSeconds == 25 * 3600)
        let longer = bucket + ["blobs.s3.staleUploadSeconds=172800"]
        #expect(try load(Self.good, overrides: longer).blobs.leftoverSeconds == 49 * 3600)
    }

    @Test func `defaults keep their own rules`() {
        for setting in Setting.all {
            guard let fallback = setting.fallback, !fallback.isEmpty else { continue }
            #expect(setting.problem(with: fallback) == nil, "\(setting.key)")
        }
    }
}
