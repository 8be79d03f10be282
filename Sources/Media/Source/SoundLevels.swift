import Foundation
import SystemPackage

/// Reads a 16-bit mono WAV file and measures how loud it is, block by block: two hours need no more memory than one
/// number per frame.
struct SoundLevels: Sendable {
    /// Short enough to place the edge of a pause, long enough to hold a period of a low voice.
    static let frameSeconds = 0.02
    /// Nothing is quieter than this, in dBFS.
    static let silence: Float = -100
    static let sampleRate = 16_000
    private static let frameSamples = 320
    private static let framesPerStep = Int((SoundCurves.stepSeconds / frameSeconds).rounded())
    private static let blockBytes = 1 << 18

    /// RMS of every frame in dBFS.
    var frames: [Float]
    /// Pitch of the voice at the start of every step of `SoundCurves.stepSeconds` in Hz, 0 where there is none.
    var pitch: [Float] = []

    /// Measures the file at `path`. Blocking reads and arithmetic, so it leaves the caller's thread.
    @concurrent
    static func measure(wavPath path: String) async throws(MediaError) -> SoundLevels {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
            return try file.closeAfter { try levels(file, from: try dataOffset(file)) }
        } catch let error as MediaError {
            throw error
        } catch is CancellationError {
            throw MediaError(.cancelled)
        } catch {
            throw MediaError(.fileUnreadable, "\(error)")
        }
    }

    /// RMS of every step of `SoundCurves.stepSeconds`, in dBFS.
    var steps: [Float] {
        stride(from: 0, to: frames.count, by: Self.framesPerStep).map { start in
            let part = frames[start..<min(frames.count, start + Self.framesPerStep)]
            return Self.decibels(meanSquare: part.reduce(0) { $0 + Self.meanSquare(decibels: $1) } / Float(part.count))
        }
    }

    static func decibels(meanSquare: Float) -> Float { max(silence, 10 * log10(max(meanSquare, 1e-12))) }
    static func meanSquare(decibels: Float) -> Float { pow(10, decibels / 10) }

    private static func levels(_ file: FileDescriptor, from start: Int64) throws -> SoundLevels {
        var levels = SoundLevels(frames: [])
        var (position, rest) = (start, [UInt8]())
        // Of the step at hand, at the rate at which pitch is told.
        var slow: [Float] = []
        while true {
            try Task.checkCancellation()
            let bytes = try read(file, at: position, blockBytes)
            if bytes.isEmpty { break }
            position += Int64(bytes.count)
            rest.append(contentsOf: bytes)
            let whole = rest.count / (2 * frameSamples)
            for frame in 0..<whole {
                levels.frames.append(level(rest, frame: frame))
                slow += slowed(rest, frame: frame)
                guard levels.frames.count % framesPerStep == 0 else { continue }
                levels.pitch.append(PitchTracker.pitch(slow[...]))
                slow.removeAll(keepingCapacity: true)
            }
            rest.removeFirst(whole * 2 * frameSamples)
        }
        if !slow.isEmpty { levels.pitch.append(PitchTracker.pitch(slow[...])) }
        return levels
    }

    private static func level(_ bytes: [UInt8], frame: Int) -> Float {
        var sum: Int64 = 0
        for index in 0..<frameSamples {
            let sample = Int64(sample(bytes, frame * frameSamples + index))
            sum += sample * sample
        }
        let fullScale: Float = 32_768 * 32_768
        return decibels(meanSquare: Float(sum) / Float(frameSamples) / fullScale)
    }

    private static func sample(_ bytes: [UInt8], _ index: Int) -> Int16 {
        Int16(bitPattern: UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8)
    }

    /// A frame at the rate of `PitchTracker`: means of a few samples, which also keep out what lies above it.
    private static func slowed(_ bytes: [UInt8], frame: Int) -> [Float] {
        let few = PitchTracker.decimation
        return stride(from: frame * frameSamples, to: (frame + 1) * frameSamples, by: few).map { first in
            let sum = (first..<first + few).reduce(0) { $0 + Int(sample(bytes, $1)) }
            return Float(sum) / Float(few)
        }
    }

    /// Where the samples begin: chunks of any kind may stand before them.
    private static func dataOffset(_ file: FileDescriptor) throws -> Int64 {
        let chunksMax = 32
        var position: Int64 = 12
        for _ in 0..<chunksMax {
            let header = ByteReading(try read(file, at: position, 8))
            guard header.bytes.count == 8 else { break }
            if header.has("data") { return position + 8 }
            let size = Int64(header.littleEndian(4, bytes: 4))
            position += 8 + size + size % 2
        }
        throw MediaError(.unexpectedOutput, "the WAV file has no samples chunk")
    }

    private static func read(_ file: FileDescriptor, at offset: Int64, _ count: Int) throws -> [UInt8] {
        try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            // Sound: the buffer is the array's own, and read(2) tells how much of it was filled.
            filled = try unsafe file.read(fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
