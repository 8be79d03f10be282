import ClipModel
package import Jobs
import Logging
import PostgresStore

/// `tijera blobs check`: the database and the blob store of a node, compared by a process of its own.
package struct BlobCheckProgram: Sendable {
    private let configuration: NodeConfiguration

    package init(_ configuration: NodeConfiguration) { self.configuration = configuration }

    /// Throws when the database or the store cannot be asked.
    package func run(orphanSeconds: Double) async throws -> BlobCheck.Report {
        var quiet = Logger(label: "tijera")
        quiet.logLevel = .critical
        let clock = ContinuousClock()
        let blobs = try configuration.blobs.makeStores(clock: clock, chance: .system(), logger: quiet).clients
        var postgres = PostgresConfiguration(connection: configuration.storeURL)
        postgres.connectionsMax = 2
        postgres.applicationName = "tijera blobs check"
        let store = PostgresStore(postgres, clock: clock, logger: quiet)
        do {
            let check = BlobCheck(names: store, blobs: blobs, orphanSeconds: orphanSeconds, now: systemWallTime)
            let report = try await check.run()
            await store.shutdown()
            return report
        } catch {
            await store.shutdown()
            throw error
        }
    }
}
