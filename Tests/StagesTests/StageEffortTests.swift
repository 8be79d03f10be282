import Blobs
import ClipModel
import Foundation
import Media
import Stages
import Synchronization
import Testing

@Suite struct StageEffortTests {
    private final class Told: Sendable {
        let efforts = Mutex<[StageName: Effort]>([:])
    }

    private static let cues = """
        1
        00:00:01,000 --> 00:00:04,000
        Nothing is lost.

        2
        00:00:05,000 --> 00:00:08,000
        It was only put away.

        """

    private func withBlobs(_ body: (BlobDirectory, String) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "effort-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let blobs = try BlobDirectory(root: root, limits: BlobLimits(freeBytesMin: 0))
        try await blobs.withScratch(named: "test") { scratch in try await body(blobs, scratch) }
    }

    private func runner(_ blobs: BlobDirectory, told: Told) -> StageRunner {
        let tools = StageTools(
            toolbox: Toolbox(MediaConfiguration()), transcriber: SidecarTranscriber(), blobs: blobs,
            versions: ToolVersions(ffmpeg: "7", speechModel: "a", faceModel: "b"))
        return StageRunner(tools: tools) { name, effort in told.efforts.withLock { $0[name] = effort } }
    }

    private func assignment(_ inputs: StageInputs, _ scratch: String, _ effort: EffortMeter) -> StageRunner.Assignment {
        StageRunner.Assignment(
            inputs: inputs, attempt: StageAttempt(job: SampleJob.id, key: inputs.key, epoch: 3), scratch: scratch,
            threads: 1, startedAt: SampleJob.noon, effort: effort, progress: { _ in })
    }

    @Test func `what the render stage measured is handed on, and the file is not read again`() async throws {
        try await withBlobs { blobs, scratch in
            var job = SampleJob()
            job.rendered = job.figures
            let output = try await runner(blobs, told: Told())
                .run(assignment(job.inputs(StageKey(.check)), scratch, EffortMeter()))
            let body = try JSONDecoder().decode(CheckResult.self, from: Data(output.body.utf8))
            #expect(body.figures == job.figures)
            #expect(output.blobs.isEmpty)
        }
    }

    @Test func `a clip of a release that did not measure is looked at`() async throws {
        try await withBlobs { blobs, scratch in
            // Its file is not there, which only who looks can notice.
            let inputs = SampleJob().inputs(StageKey(.check))
            await #expect(throws: (any Error).self) {
                _ = try await self.runner(blobs, told: Told()).run(self.assignment(inputs, scratch, EffortMeter()))
            }
        }
    }

    @Test func `an attempt is told the blobs it read and made, and the work of the node for it`() async throws {
        try await withBlobs { blobs, scratch in
            let sidecar = SampleJob.sidecar
            _ = try await blobs.put(Array(Self.cues.utf8), as: sidecar.blob)
            let (effort, told) = (EffortMeter(), Told())
            let inputs = SampleJob(sidecar: sidecar).inputs(StageKey(.transcribe))
            let output = try await runner(blobs, told: told).run(assignment(inputs, scratch, effort))
            var made: Int64 = 0
            for blob in output.blobs { made += try await blobs.size(of: blob) ?? 0 }
            let total = effort.total
            #expect(made > 0 && total.bytesWritten == made)
            #expect(total.bytesRead == Int64(Self.cues.utf8.count) && total.cpuSeconds > 0)
            // Nobody else was at work for it.
            #expect(total.memoryPeakBytes == nil)
            #expect(told.efforts.withLock { $0 } == [.transcribe: total])
        }
    }

    @Test func `an attempt that fails is told too`() async throws {
        try await withBlobs { blobs, scratch in
            let sidecar = SampleJob.sidecar
            _ = try await blobs.put(Array("no transcript at all\u{0}".utf8), as: sidecar.blob)
            let (effort, told) = (EffortMeter(), Told())
            let inputs = SampleJob(sidecar: sidecar).inputs(StageKey(.transcribe))
            await #expect(throws: MediaError.self) {
                try await runner(blobs, told: told).run(assignment(inputs, scratch, effort))
            }
            #expect(effort.total.bytesRead == 21 && effort.total.bytesWritten == 0)
            #expect(told.efforts.withLock { $0[.transcribe] } == effort.total)
        }
    }
}
