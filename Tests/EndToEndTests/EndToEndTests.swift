import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

/// The whole, as its users meet it: three real nodes in two regions, a real PostgreSQL, real Whisper and ffmpeg.
///
/// One cluster serves all tests, one after the other: a machine has only so many cores, and a test that kills nodes
/// must not disturb one that measures. Each test leaves the cluster running.
@Suite(.serialized, .enabled(if: Cluster.isPossible, "needs what cluster/test installs and builds"), .cluster(nodes: 3))
struct EndToEndTests {
    let cluster: Cluster
    let client: Client

    init() throws {
        cluster = try #require(ClusterTrait.running)
        client = Client(base: cluster.nodes[0].http)
    }
}

/// Starts a cluster before a suite and erases it afterwards.
struct ClusterTrait: SuiteTrait, TestScoping {
    @TaskLocal static var running: Cluster?
    let nodes: Int
    let options: [String]
    let environment: [String: String]

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let cluster = try await Cluster.start(nodes: nodes, options: options, environment: environment)
        do {
            try await Self.$running.withValue(cluster) { try await function() }
        } catch {
            try await cluster.erase()
            throw error
        }
        try await cluster.erase()
    }
}

extension Trait where Self == ClusterTrait {
    static func cluster(nodes: Int, options: [String] = [], environment: [String: String] = [:]) -> Self {
        ClusterTrait(nodes: nodes, options: options, environment: environment)
    }
}
