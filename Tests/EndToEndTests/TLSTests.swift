import Foundation
import Testing

extension EndToEndTests {
    /// `cluster/up --tls`, and the command line in front of nodes whose authority no system knows.
    @Suite(.cluster(nodes: 1, options: ["--tls"])) struct TLSTests {
        private let cluster: Cluster
        private let authorities: String

        init() throws {
            cluster = try #require(ClusterTrait.running)
            authorities = try #require(cluster.authorities)
        }

        /// As somebody elsewhere, who knows nothing of the cluster but what is given here.
        private func status(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> Shell.Output {
            let own = ["TIJERA_DATA": "/nowhere", "TIJERA_ADMIN_TOKEN": cluster.adminToken, "TIJERA_CA": ""]
            return try await Shell.run(
                Cluster.executable, ["cluster", "status", "--server", cluster.nodes[0].http] + arguments,
                environment: own.merging(environment) { $1 })
        }

        @Test func `nodes speak TLS and nothing else, also after cluster/up came again`() async throws {
            for _ in 0..<2 {
                let address = cluster.nodes[0].http
                let port = try #require(address.split(separator: ":").last)
                #expect(address.hasPrefix("https://127.0.0.1:"))
                for name in ["127.0.0.1", "localhost"] {
                    let asked = try await Shell.run(
                        "curl", ["-fsS", "-4", "--cacert", authorities, "https://\(name):\(port)/api/health"])
                    #expect(asked.code == 0 && asked.standardOutput.contains(#""http":"https://"#), "\(asked.text)")
                }
                let plain = try await Shell.run("curl", ["-sS", "http://127.0.0.1:\(port)/livez"])
                #expect(plain.code != 0, "\(plain.text)")
                try await cluster.revive()
            }
        }

        @Test func `the command line trusts whom it is told to trust, and says why it does not`() async throws {
            let local = try await Shell.run(
                Cluster.executable, ["cluster", "health", "--exit-when-healthy", "--nodes", "1", "--timeout", "60"],
                environment: ["TIJERA_DATA": cluster.folder])
            #expect(local.code == 0, "\(local.text)")
            let named = try await status(["--ca", authorities])
            #expect(named.code == 0, "\(named.text)")
            let fromEnvironment = try await status([], ["TIJERA_CA": authorities])
            #expect(fromEnvironment.code == 0, "\(fromEnvironment.text)")
            let unknown = try await status([])
            #expect(unknown.code == 3 && unknown.text.contains("signed by no authority"), "\(unknown.text)")
            #expect(unknown.text.contains("--ca FILE (or TIJERA_CA)"), "\(unknown.text)")
            // The cluster's own authority has nothing to do with its doors'.
            let other = try await status(["--ca", cluster.folder + "/certs/ca.pem"])
            #expect(other.code == 3 && other.text.contains("signed by no authority"), "\(other.text)")
            let missing = try await status(["--ca", "/no/such.pem"])
            #expect(missing.code == 64 && missing.text.contains("/no/such.pem: No such file"), "\(missing.text)")
            let nothing = try await status(["--ca", cluster.folder + "/admin-token"])
            #expect(nothing.code == 64 && nothing.text.contains("no certificate in PEM"), "\(nothing.text)")
        }

        @Test func `a video goes in through TLS, and at once nowhere else`() async throws {
            let text = cluster.folder + "/text.mp4"
            try "this is not a video".write(toFile: text, atomically: true, encoding: .utf8)
            let arguments = ["clip", text, "--out", cluster.folder + "/out", "--server", cluster.nodes[0].http]
            let clock = ContinuousClock(), began = clock.now
            let refused = try await Shell.run(Cluster.executable, arguments, environment: ["TIJERA_CA": ""])
            #expect(refused.code == 3 && refused.text.contains("--ca FILE"), "\(refused.text)")
            #expect(clock.now - began < .seconds(30), "waiting would not have helped")
            let taken = try await Shell.run(Cluster.executable, arguments + ["--ca", authorities])
            // What is no video is refused by the node, or by the job that it begins.
            #expect([1, 2].contains(taken.code) && !taken.text.contains("certificate"), "\(taken.text)")
        }
    }
}
