import ClipModel
import Foundation
import Media
import Testing

@Suite struct NoiseReductionTests {
    private static let rate = 48_000

    /// The clip's sound before its loudness is set, from tones of a tenth of a second in every second over noise.
    private func bed(_ samples: MediaSamples, noise: NoiseReduction?) async throws -> [Float] {
        let source = try await samples.make(
            "source.wav",
            MediaSamples.source(
                "aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.1)+0.012*(2*random(0)-1)':s=\(Self.rate):d=4"))
        var facts = VideoFacts.source()
        facts.audioStream = 0
        var plan = RenderPlan(
            sourcePath: source, facts: facts, clip: TimeRange(start: 0.5, end: 3.5), framing: .of([.fit(0, 3)]),
            size: .small, threads: 1, outputPath: samples.path("clip.mp4"))
        plan.noise = noise
        let sound = SoundPlan(plan, limits: ToolLimits(wallSeconds: 60, memoryBytes: 4 << 30))
        _ = try await samples.toolbox.run(sound.bedCommand).checked()
        // Stereo floats behind a header of unknown length.
        let bytes = Array(try samples.bytes(sound.bedPath).suffix(3 * Self.rate * 8))
        return stride(from: 0, to: bytes.count, by: 8).map { place in
            Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) })
        }
    }

    private func decibels(_ samples: ArraySlice<Float>) -> Float {
        10 * log10(max(1e-12, samples.reduce(0) { $0 + $1 * $1 } / Float(samples.count)))
    }

    @Test func `noise falls by ten decibels, what stands above it stays, and nothing moves in time`() async throws {
        try await MediaSamples.with { samples in
            let curves = SoundCurves(
                durationSeconds: 4, energyDBFS: (0..<40).map { $0 % 10 == 0 ? -9 : $0 % 10 < 5 ? -20 : -43 },
                loudnessLUFS: [], integratedLUFS: nil, silences: [])
            let noise = try #require(NoiseReduction(curves, clip: TimeRange(start: 0.5, end: 3.5)))
            let (before, after) = (try await bed(samples, noise: nil), try await bed(samples, noise: noise))
            #expect(before.count == 3 * Self.rate && after.count == before.count)
            let (pause, tone) = (Self.rate..<(Self.rate * 7 / 5), (Self.rate / 2)..<(Self.rate * 3 / 5))
            #expect(decibels(after[pause]) < decibels(before[pause]) - 10)
            #expect(abs(decibels(after[tone]) - decibels(before[tone])) < 1)
            let onsets = [before, after].map { $0.firstIndex { abs($0) > 0.25 } ?? 0 }
            #expect(abs(onsets[0] - onsets[1]) < 48, "\(onsets)")
        }
    }
}
