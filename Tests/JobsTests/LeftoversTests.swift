import Blobs
import ClipModel
import Jobs
import Stages
import Store
import Testing

@Suite struct LeftoversTests {
    private static let job = JobID("job_01hzzzzzzzzzzzzzzzzzzzzzzz")!
    private static let then = Timestamp("2026-01-31T10:00:00Z")!
    private static let now = Timestamp("2026-01-31T12:00:00Z")!

    /// The row is at epoch 3. Which of its attempts' blobs may go, by the row's state?
    @Test(arguments: [
        (Stage.State.running, [1, 2]), (.ready, [1, 2]), (.done, [1, 2]), (.failed, [1, 2, 3]),
        (.cancelled, [1, 2, 3]),
    ])
    func `only attempts that can publish nothing any more have leftovers`(state: Stage.State, gone: [Int]) {
        let key = StageKey(.render, 0)
        let blobs = (1...3).map { StageAttempt(job: Self.job, key: key, epoch: $0).blobName("clip.mp4") }
        var row = Stage(job: Self.job, key: key, state: state, epoch: 3, openedAt: Self.then, notBefore: Self.then)
        if state == .done {
            let id = ResultID("result_01hzzzzzzzzzzzzzzzzzzzzzzz")!
            row.result = StageResult(id: id, body: "{}", blobs: [blobs[2]], cacheKey: nil)
        }
        let listed = blobs.map { ListedBlob(name: $0, bytes: 1, changedAt: Self.then) }
        #expect(Leftovers.select(listed, stages: [row], olderThan: Self.now) == gone.map { blobs[$0 - 1] })
        #expect(Leftovers.select(listed, stages: [row], olderThan: Self.then).isEmpty)
    }

    @Test func `blobs of an unknown stage are left alone`() {
        let blob = StageAttempt(job: Self.job, key: StageKey(.render, 9), epoch: 1).blobName("clip.mp4")
        let listed = [ListedBlob(name: blob, bytes: 1, changedAt: Self.then)]
        #expect(Leftovers.select(listed, stages: [], olderThan: Self.now).isEmpty)
    }
}
