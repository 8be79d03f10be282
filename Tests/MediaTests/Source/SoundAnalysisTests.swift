import ClipModel
import Foundation
import Media
import Synchronization
import Testing

@Suite(.serialized) struct SoundAnalysisTests {
    private func analyse(_ path: String, _ samples: MediaSamples) async throws -> (SoundTrack, [UInt8], VideoFacts) {
        let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
        let track = try await SoundAnalysis.run(
            path: path, facts: facts, pcmPath: samples.path("sound.wav"), threads: 1, toolbox: samples.toolbox,
            progress: { _ in })
        return (track, try samples.bytes(samples.path("sound.wav")), facts)
    }

    /// A tone that is on where `expression` (of the time t) is not 0.
    private static func tone(_ expression: String, seconds: Double, amplitude: Double = 0.3) -> [String] {
        let wave = "\(amplitude)*sin(2*PI*440*t)*(\(expression))+0.0005*sin(2*PI*97*t)"
        return MediaSamples.source("aevalsrc='\(wave)':s=48000:d=\(seconds)")
    }

    private static func picture(_ seconds: Double) -> [String] {
        MediaSamples.source("color=size=64x64:rate=10:duration=\(seconds)")
    }

    @Test func `pauses, loudness and the samples are where they belong`() async throws {
        try await MediaSamples.with { samples in
            let tone = Self.tone("not(between(t,4,5))*not(between(t,10,10.5))", seconds: 20)
            let path = try await samples.make("v.mp4", Self.picture(20) + tone)
            let (track, wav, _) = try await analyse(path, samples)
            #expect(track.curves.silences.count == 2)
            for (found, expected) in zip(track.curves.silences, [4.0...5, 10...10.5]) {
                #expect(abs(found.start - expected.lowerBound) < 0.06 && abs(found.end - expected.upperBound) < 0.06)
            }
            #expect(track.chunks == [TimeRange(start: 0, end: 20)])
            #expect(track.curves.energyDBFS.count == 200 && track.curves.loudnessLUFS.count == 200)
            // A sine of amplitude 0.3 has an RMS of -13.5 dBFS.
            #expect(abs(track.curves.energyDBFS[20] + 13.5) < 0.3)
            #expect(track.curves.energyDBFS[45] < -55 && track.curves.loudnessLUFS[45] < -55)
            let reference = try await samples.integratedLUFS(path)
            #expect(abs(try #require(track.curves.integratedLUFS) - reference) < 0.15)
            #expect(wav.count == 44 + 20 * 32_000)
        }
    }

    @Test func `the pitch of a voice is told, and nothing where there is none`() async throws {
        try await MediaSamples.with { samples in
            // Three seconds of a rough 150 Hz, two of silence, three of 220 Hz.
            let wave = "0.3*(2*mod(t*if(lt(t,4),150,220),1)-1)*not(between(t,3,5))"
            let path = try await samples.make(
                "v.mp4", Self.picture(8) + MediaSamples.source("aevalsrc='\(wave)':s=48000:d=8"))
            let (track, _, _) = try await analyse(path, samples)
            let pitch = try #require(track.curves.pitchHz)
            #expect(pitch.count == track.curves.energyDBFS.count)
            #expect(pitch[5...25].allSatisfy { abs($0 - 150) < 3 }, "\(pitch[5...25])")
            #expect(pitch[35...45].allSatisfy { $0 == 0 })
            #expect(pitch[55...75].allSatisfy { abs($0 - 220) < 4 }, "\(pitch[55...75])")
        }
    }

    @Test func `a track that starts late and ends early stays in step with the picture`() async throws {
        try await MediaSamples.with { samples in
            let tone = Self.tone("1", seconds: 3)
            let path = try await samples.make(
                "late.mkv", Self.picture(8) + ["-itsoffset", "2.5"] + tone + ["-c:a", "pcm_s16le"])
            let (track, wav, _) = try await analyse(path, samples)
            #expect(wav.count == 44 + 8 * 32_000)
            #expect(track.curves.energyDBFS[23] < -90 && track.curves.energyDBFS[26] > -20)
            #expect(track.curves.energyDBFS[53] > -20 && track.curves.energyDBFS[56] < -90)
        }
    }

    @Test func `a hole in the sound stays a hole`() async throws {
        try await MediaSamples.with { samples in
            let tone = Self.tone("1", seconds: 6)
            let hole = ["-af", "aselect='not(between(t,2,4))'", "-c:a", "pcm_s16le"]
            let path = try await samples.make("hole.mkv", Self.picture(6) + tone + hole)
            let (track, _, _) = try await analyse(path, samples)
            #expect(track.curves.energyDBFS[15] > -20 && track.curves.energyDBFS[45] > -20)
            #expect(track.curves.energyDBFS[30] < -90)
        }
    }

    @Test func `a video without sound has one long pause and an empty file`() async throws {
        try await MediaSamples.with { samples in
            let path = try await samples.make("mute.mp4", Self.picture(5))
            let (track, wav, _) = try await analyse(path, samples)
            #expect(track.curves.silences == [TimeRange(start: 0, end: 5)])
            #expect(track.chunks.isEmpty && track.languageSample == nil && track.curves.integratedLUFS == nil)
            #expect(wav.count == 44)
        }
    }

    @Test func `digital silence has nothing to transcribe`() async throws {
        try await MediaSamples.with { samples in
            let silence = MediaSamples.source("anullsrc=duration=40")
            let path = try await samples.make("silent.mp4", Self.picture(40) + silence)
            let (track, _, facts) = try await analyse(path, samples)
            #expect(track.chunks.isEmpty && track.languageSample == nil && track.curves.integratedLUFS == nil)
            #expect(track.curves.silences == [TimeRange(start: 0, end: facts.durationSeconds)])
        }
    }

    @Test func `progress rises to one`() async throws {
        try await MediaSamples.with { samples in
            let path = try await samples.make("v.mp4", Self.picture(60) + Self.tone("1", seconds: 60))
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            let seen = Mutex<[Double]>([])
            _ = try await SoundAnalysis.run(
                path: path, facts: facts, pcmPath: samples.path("sound.wav"), threads: 1, toolbox: samples.toolbox
            ) { fraction in seen.withLock { $0.append(fraction) } }
            let values = seen.withLock { $0 }
            #expect(values.count > 2 && values == values.sorted() && values.last == 1)
        }
    }
}

extension MediaSamples {
    /// What ffmpeg's own summary says of the whole file, in LUFS.
    func integratedLUFS(_ path: String) async throws -> Double {
        var command = ToolCommand(
            .ffmpeg, ["-nostdin", "-hide_banner", "-i", "file:" + path, "-af", "ebur128", "-f", "null", "-"],
            limits: ToolLimits(wallSeconds: 60, memoryBytes: 2 << 30))
        command.arguments.insert(contentsOf: ["-nostats", "-vn"], at: 0)
        let words = try await toolbox.run(command).checked().errorTail.split(whereSeparator: \.isWhitespace)
        let mark = words.lastIndex(of: "I:") ?? words.startIndex
        return Double(words[words.index(after: mark)]) ?? .nan
    }
}
