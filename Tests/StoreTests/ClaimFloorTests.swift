import ClipModel
import PostgresStore
import Store
import TestSupport
import Testing

@Suite struct ClaimFloorTests {
    private func reading(_ floor: ClaimFloor, after milliseconds: Int) -> String {
        guard let reading = floor.reading(at: .seconds(100) + .milliseconds(milliseconds)) else { return "look it up" }
        return "\(reading.rank) \(reading.isFresh ? "fresh" : "known")"
    }

    @Test func `a floor is fresh for a quarter of a second and good for one`() {
        var floor = ClaimFloor()
        #expect(reading(floor, after: 0) == "look it up")
        floor.found(12, at: .seconds(100))
        #expect(reading(floor, after: 0) == "12.0 fresh")
        #expect(reading(floor, after: 250) == "12.0 fresh")
        #expect(reading(floor, after: 251) == "12.0 known")
        #expect(reading(floor, after: 1000) == "12.0 known")
        #expect(reading(floor, after: 1001) == "look it up")
    }

    @Test func `a floor that took long to find is looked for less often`() {
        var floor = ClaimFloor()
        floor.found(12, at: .seconds(100), took: .milliseconds(30))
        #expect(reading(floor, after: 1500) == "12.0 fresh")
        #expect(reading(floor, after: 1501) == "12.0 known")
        #expect(reading(floor, after: 3000) == "12.0 known")
        #expect(reading(floor, after: 3001) == "look it up")
        // However long it took.
        floor.found(12, at: .seconds(100), took: .seconds(8))
        #expect(reading(floor, after: 5000) == "12.0 known")
        #expect(reading(floor, after: 5001) == "look it up")
        floor.found(12, at: .seconds(100), took: .milliseconds(1))
        #expect(reading(floor, after: 251) == "12.0 known")
    }

    @Test func `a job that comes below the floor lowers it, one above does not`() {
        var floor = ClaimFloor()
        floor.found(12, at: .seconds(100))
        floor.lower(to: 20)
        #expect(reading(floor, after: 10) == "12.0 fresh")
        floor.lower(to: 3)
        #expect(reading(floor, after: 10) == "3.0 fresh")
        floor.found(nil, at: .seconds(100))
        floor.lower(to: 3)
        #expect(reading(floor, after: 10) == "-inf fresh")
    }

    @Test func `where nothing is open, claims begin at the bottom`() {
        var floor = ClaimFloor()
        floor.found(12, at: .seconds(99))
        floor.found(nil, at: .seconds(100))
        #expect(reading(floor, after: 10) == "-inf fresh")
    }

    /// The floor stands above a job that another node took in, and no claim may come home empty for that.
    @Test func `a job that turns up below the floor is found by the next claim that has nothing else`() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let stores = [1, 2].map { _ in PostgresStore(.patient(database), logger: .quiet) }
        try await stores[0].migrate()
        let world = World(store: stores[0])
        let upload = try await world.upload().id, life = try await world.node()
        let batch = JobDraft(
            id: world.newJobID(), upload: upload, region: .eu, tenant: "ana", options: JobOptions(), priority: .batch,
            stages: [StageKey(.scan)])
        _ = try await stores[0].submit(batch)
        #expect(try await world.claimOne(life).job == batch.id)
        // It counts from where the batch job would be without its handicap.
        let other = world.draft(upload)
        _ = try await stores[1].submit(other)
        #expect(try await stores[0].claim(8, for: life).map(\.job) == [other.id])
        for store in stores { await store.shutdown() }
    }
}
