/// Tells what an upload is before any decoder sees it: by magic bytes, then by the structure behind them.
///
/// A name proves nothing, so none is asked for. Formats that point at other files are refused here by name, and once
/// more by the list of demuxers in `FFmpeg.formats`.
package struct Sniffer {
    /// How much of the beginning is looked at for magic bytes and text.
    static let headBytes = 8192

    /// The format of the file at `path`, when it is one that may hold a video; else the reason why not.
    package static func inspect(_ path: String) throws(MediaError) -> SniffedFormat {
        try SniffReader.withFile(path) { reader throws(MediaError) in try inspect(&reader) }
    }

    /// As above, for bytes that are anywhere.
    package static func inspect(_ reader: inout SniffReader) throws(MediaError) -> SniffedFormat {
        let format = try recognise(&reader)
        if let refusal = format.refusal { throw MediaError(refusal, format.rawValue) }
        return format
    }

    /// What the bytes are, whether or not it is taken. Throws what is nothing known, empty, cut off or encrypted.
    static func recognise(_ reader: inout SniffReader) throws(MediaError) -> SniffedFormat {
        guard reader.sizeBytes > 0 else { throw MediaError(.emptyFile) }
        let head = ByteReading(try reader.bytes(at: 0, headBytes))
        if let box = BoxWalk.firstBoxName(head) { return try BoxWalk.recognise(firstBox: box, head, &reader) }
        if let format = container(head) ?? sound(head) ?? notMedia(head) { return format }
        if head.has("OggS") { return try OggWalk.recognise(&reader) }
        if head.has("ID3") { return try afterTag(head, &reader) }
        if let format = TextLook.recognise(head) { return format }
        throw MediaError(.unknownFormat)
    }

    // MARK: Containers

    private static func container(_ head: ByteReading) -> SniffedFormat? {
        if head.has([0x1A, 0x45, 0xDF, 0xA3]) { return matroska(head) }
        if head.has("RIFF") || head.has("RF64") {
            if head.has("AVI ", at: 8) { return .avi }
            if head.has("WAVE", at: 8) { return .wav }
            if head.has("WEBP", at: 8) { return .image }
        }
        if head.has([0x00, 0x00, 0x01, 0xBA]) { return .mpegProgramStream }
        if head.has("FLV") && head.byte(3) == 1 { return .flv }
        let asf: [UInt8] = [
            0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0x00, 0xAA, 0x00, 0x62, 0xCE, 0x6C,
        ]
        if head.has(asf) { return .asf }
        return isTransportStream(head) ? .mpegTransportStream : nil
    }

    /// Packets of 188 bytes (192 with a time stamp in front, 204 with a checksum behind) that start with 0x47. One
    /// byte proves nothing, five in step do; a recording may start in the middle of a packet.
    private static func isTransportStream(_ head: ByteReading) -> Bool {
        [188, 192, 204].contains { length in
            (0..<length).contains { start in
                (0..<5).allSatisfy { head.byte(start + $0 * length) == 0x47 }
            }
        }
    }

    /// Reads the EBML header for its DocType. Anything but Matroska and WebM is no video.
    private static func matroska(_ head: ByteReading) -> SniffedFormat? {
        let docType = 0x4282
        var position = 4
        guard let length = variableInteger(head, &position) else { return nil }
        let end = min(head.bytes.count, position + Int(clamping: length))
        while position < end {
            guard let id = elementID(head, &position), let size = variableInteger(head, &position) else { return nil }
            guard size <= UInt64(end - position) else { return nil }
            if id == docType {
                if head.has("webm", at: position) { return .webM }
                return head.has("matroska", at: position) ? .matroska : nil
            }
            position += Int(size)
        }
        return nil
    }

    private static func elementID(_ head: ByteReading, _ position: inout Int) -> Int? {
        let length = head.byte(position).leadingZeroBitCount + 1
        guard length <= 4, position + length <= head.bytes.count else { return nil }
        defer { position += length }
        return Int(head.bigEndian(position, bytes: length))
    }

    private static func variableInteger(_ head: ByteReading, _ position: inout Int) -> UInt64? {
        let length = head.byte(position).leadingZeroBitCount + 1
        guard length <= 8, position + length <= head.bytes.count else { return nil }
        defer { position += length }
        return head.bigEndian(position, bytes: length) & (UInt64(1) << UInt64(7 * length) - 1)
    }

    // MARK: Sound

    private static func sound(_ head: ByteReading) -> SniffedFormat? {
        if head.has("fLaC") { return .flac }
        if head.has("FORM") && (head.has("AIFF", at: 8) || head.has("AIFC", at: 8)) { return .aiff }
        if head.has("#!AMR") { return .amr }
        if isADTS(head, at: 0) { return .aac }
        return isMPEGAudio(head, at: 0) ? .mp3 : nil
    }

    /// ID3 stands before MP3 and, less often, before other sound.
    private static func afterTag(_ head: ByteReading, _ reader: inout SniffReader) throws(MediaError) -> SniffedFormat {
        let sizeBytes = (6..<10).reduce(0) { $0 << 7 | Int64(head.byte($1) & 0x7F) }
        let next = ByteReading(try reader.bytes(at: 10 + sizeBytes, headBytes))
        return sound(next) ?? .mp3
    }

    /// Two AAC frames, the second where the first one says.
    private static func isADTS(_ head: ByteReading, at index: Int) -> Bool {
        func isFrame(_ index: Int) -> Bool { head.byte(index) == 0xFF && head.byte(index + 1) & 0xF6 == 0xF0 }
        guard isFrame(index) else { return false }
        let length = Int(head.bigEndian(index + 3, bytes: 3) >> 5 & 0x1FFF)
        return length > 7 && isFrame(index + length)
    }

    /// Two MPEG audio frames, the second where the first one says.
    private static func isMPEGAudio(_ head: ByteReading, at index: Int) -> Bool {
        guard let length = mpegAudioFrameBytes(head, at: index) else { return false }
        return mpegAudioFrameBytes(head, at: index + length) != nil
    }

    /// ISO 11172-3 and 13818-3, layer III: 144 (72 for the lower rates) x bit rate / sample rate + padding.
    private static func mpegAudioFrameBytes(_ head: ByteReading, at index: Int) -> Int? {
        let header = Int(head.bigEndian(index, bytes: 4))
        let (version, layer) = (header >> 19 & 3, header >> 17 & 3)
        let (bitRate, sampleRate, padding) = (header >> 12 & 15, header >> 10 & 3, header >> 9 & 1)
        guard header >> 21 == 0x7FF, version != 1, layer == 1, (1...14).contains(bitRate), sampleRate < 3 else {
            return nil
        }
        let isVersion1 = version == 3
        let kilobits =
            isVersion1
            ? [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
            : [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
        let hertz = [44_100, 48_000, 32_000][sampleRate] / (isVersion1 ? 1 : version == 2 ? 2 : 4)
        return (isVersion1 ? 144 : 72) * kilobits[bitRate - 1] * 1000 / hertz + padding
    }

    // MARK: What is neither

    private static func notMedia(_ head: ByteReading) -> SniffedFormat? {
        if isImage(head) { return .image }
        if head.has("PK\u{3}\u{4}") { return isOfficeDocument(head) ? .document : .archive }
        if archives.contains(where: { head.has($0) }) || head.has("ustar", at: 257) { return .archive }
        if head.contains("%PDF-", within: 1024) || head.has([0xD0, 0xCF, 0x11, 0xE0]) || head.has("{\\rtf") {
            return .document
        }
        return executables.contains { head.has($0) } ? .executable : nil
    }

    private static func isImage(_ head: ByteReading) -> Bool {
        if images.contains(where: { head.has($0) }) { return true }
        // "BM" alone is too short a proof: the four bytes after the size are reserved and zero.
        return head.has("BM") && head.littleEndian(6, bytes: 4) == 0 && head.byte(14) > 0
    }

    private static func isOfficeDocument(_ head: ByteReading) -> Bool {
        head.contains("[Content_Types].xml", within: 2048) || head.contains("mimetypeapplication/", within: 256)
    }

    private static let images: [[UInt8]] = [
        [0x89, 0x50, 0x4E, 0x47], [0xFF, 0xD8, 0xFF], Array("GIF8".utf8), [0x49, 0x49, 0x2A, 0x00],
        [0x4D, 0x4D, 0x00, 0x2A], Array("8BPS".utf8), [0x00, 0x00, 0x01, 0x00], [0xFF, 0x0A],
    ]
    private static let archives: [[UInt8]] = [
        Array("PK\u{5}\u{6}".utf8), [0x1F, 0x8B], [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], Array("Rar!".utf8),
        Array("BZh".utf8), [0xFD, 0x37, 0x7A, 0x58, 0x5A], [0x28, 0xB5, 0x2F, 0xFD], Array("MSCF".utf8),
    ]
    private static let executables: [[UInt8]] = [
        [0x7F, 0x45, 0x4C, 0x46], Array("MZ".utf8), [0xFE, 0xED, 0xFA, 0xCE], [0xFE, 0xED, 0xFA, 0xCF],
        [0xCE, 0xFA, 0xED, 0xFE], [0xCF, 0xFA, 0xED, 0xFE], [0xCA, 0xFE, 0xBA, 0xBE], [0x00, 0x61, 0x73, 0x6D],
        Array("dex\n".utf8), Array("#!".utf8),
    ]
}
