package import ClipModel
import SystemPackage

/// A 16 kHz mono 16-bit WAV file, read in pieces: a chunk of a four-hour source costs the memory of the piece.
///
/// The RIFF header is walked, not assumed: what ffmpeg puts between `fmt ` and `data` differs between its versions, and
/// a file that was written to a pipe says 0xFFFFFFFF where its length should stand.
package struct WaveFile: ~Copyable {
    package static let samplesPerSecond = 16_000
    private static let bytesPerSample = 2
    private static let headerBytesMax = 1 << 20

    private let file: FileDescriptor
    private let firstByte: Int64
    package let sampleCount: Int

    package var durationSeconds: Double { Double(sampleCount) / Double(Self.samplesPerSecond) }

    package init(path: String) throws(MediaError) {
        let (file, samples) = try Self.open(path)
        self.file = file
        firstByte = samples.lowerBound
        sampleCount = Int(samples.upperBound - samples.lowerBound) / Self.bytesPerSample
    }

    deinit {
        try? file.close()  // read only: nothing can be lost by a failing close
    }

    /// The samples in `range` (seconds), -1 to 1. What lies outside the file is left out.
    package func samples(in range: TimeRange) throws(MediaError) -> [Float] {
        let low = min(max(0, Int((range.start * Double(Self.samplesPerSecond)).rounded())), sampleCount)
        let high = min(max(low, Int((range.end * Double(Self.samplesPerSecond)).rounded())), sampleCount)
        let offset = firstByte + Int64(low * Self.bytesPerSample)
        let bytes = try Self.read((high - low) * Self.bytesPerSample, at: offset, of: file)
        return (0..<bytes.count / Self.bytesPerSample).map { index in
            let bits = UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8
            return Float(Int16(bitPattern: bits)) / 32768
        }
    }

    private static func open(_ path: String) throws(MediaError) -> (FileDescriptor, samples: Range<Int64>) {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
        } catch {
            throw MediaError(.fileUnreadable, "sound: \(error)")
        }
        do {
            let size = try file.seek(offset: 0, from: .end)
            return (file, try findSamples(of: file, fileBytes: size))
        } catch {
            try? file.close()  // nothing was written; the reason below is the one that matters
            throw error as? MediaError ?? MediaError(.fileUnreadable, "sound: \(error)")
        }
    }

    private static func findSamples(of file: FileDescriptor, fileBytes: Int64) throws(MediaError) -> Range<Int64> {
        let lead = try read(12, at: 0, of: file)
        guard lead.count == 12, lead[0..<4].elementsEqual("RIFF".utf8), lead[8..<12].elementsEqual("WAVE".utf8) else {
            throw MediaError(.fileUnreadable, "sound: not a RIFF WAVE file")
        }
        var (position, isFormatRight) = (Int64(12), false)
        while position + 8 <= min(fileBytes, Int64(headerBytesMax)) {
            let head = try read(8, at: position, of: file)
            guard head.count == 8 else { break }
            let size = Int64(littleEndian32(head[4...]))
            let body = position + 8
            if head[0..<4].elementsEqual("fmt ".utf8) {
                isFormatRight = try checkFormat(try read(16, at: body, of: file))
            } else if head[0..<4].elementsEqual("data".utf8) {
                guard isFormatRight else { break }
                // Zero and all ones mean "unknown": written to a pipe, or not finished.
                let isKnown = size != 0 && size != Int64(UInt32.max)
                return body..<(isKnown ? min(body + size, fileBytes) : fileBytes)
            }
            position = body + size + size % 2
        }
        throw MediaError(.fileUnreadable, "sound: no samples in the file")
    }

    private static func checkFormat(_ bytes: [UInt8]) throws(MediaError) -> Bool {
        guard bytes.count == 16 else { throw MediaError(.fileUnreadable, "sound: format cut off") }
        let code = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
        let (channels, rate, bits) = (bytes[2], littleEndian32(bytes[4...]), bytes[14])
        // 1 is PCM; 0xFFFE is "extensible", which ffmpeg never writes for mono but other tools do.
        guard code == 1 || code == 0xFFFE, channels == 1, bytes[3] == 0, rate == samplesPerSecond, bits == 16 else {
            throw MediaError(.fileUnreadable, "sound: format \(code), \(channels) channels, \(rate) Hz, \(bits) bits")
        }
        return true
    }

    private static func littleEndian32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func read(_ count: Int, at offset: Int64, of file: FileDescriptor) throws(MediaError) -> [UInt8] {
        do {
            return try unsafe Array(unsafeUninitializedCapacity: count) { buffer, filled in
                while filled < count {
                    // Sound: the slice lies inside the buffer that the array handed out for this call.
                    let rest = unsafe UnsafeMutableRawBufferPointer(buffer)[filled...]
                    let got = try unsafe file.read(
                        fromAbsoluteOffset: offset + Int64(filled), into: UnsafeMutableRawBufferPointer(rebasing: rest))
                    if got == 0 { break }
                    filled += got
                }
            }
        } catch {
            throw MediaError(.fileUnreadable, "sound: \(error)")
        }
    }
}
