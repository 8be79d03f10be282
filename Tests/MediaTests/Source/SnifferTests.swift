import Media
import Testing

@Suite struct SnifferTests {
    private func inspect(_ bytes: [UInt8]) throws(MediaError) -> SniffedFormat {
        var reader = SniffReader(sizeBytes: Int64(bytes.count)) { offset, count throws(MediaError) in
            Array(bytes[Int(offset)..<min(bytes.count, Int(offset) + count)])
        }
        return try Sniffer.inspect(&reader)
    }

    private static func box(_ name: String, _ content: [UInt8] = [], claims size: Int? = nil) -> [UInt8] {
        let size = UInt32(size ?? content.count + 8)
        return (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * UInt32($0))) } + Array(name.utf8) + content
    }

    private static func track(_ handler: String, entry: String = "avc1") -> [UInt8] {
        let description = [0, 0, 0, 0, 0, 0, 0, 1] + box(entry, [UInt8](repeating: 0, count: 78))
        let tables = box("minf", box("stbl", box("stsd", description)))
        let kind = box("hdlr", [UInt8](repeating: 0, count: 8) + Array(handler.utf8) + [0, 0, 0, 0])
        return box("trak", box("mdia", kind + tables))
    }

    private static let fileType = box("ftyp", Array("isom".utf8) + [0, 0, 2, 0] + Array("isomavc1".utf8))
    private static let media = box("mdat", [UInt8](repeating: 7, count: 5000))
    private static let matroskaHeader: [UInt8] = [0x1A, 0x45, 0xDF, 0xA3, 0x8F, 0x42, 0x86, 0x81, 0x01, 0x42, 0x82]

    private static let accepted: [(SniffedFormat, [UInt8])] = [
        (.mp4, fileType + box("moov", track("vide") + track("soun", entry: "mp4a")) + media),
        (.mp4, fileType + media + box("moov", track("vide"))),
        (.mp4, fileType + box("moov", track("vide") + box("mvex")) + box("moof") + box("mdat", [1], claims: 99_999)),
        (
            .quickTime,
            box("ftyp", Array("qt  ".utf8) + [0, 0, 0, 0]) + box("wide") + media + box("moov", track("vide"))
        ),
        (.quickTime, media + box("moov", track("vide"))),
        (.matroska, matroskaHeader + [0x88] + Array("matroska".utf8) + [0x18, 0x53, 0x80, 0x67]),
        (.webM, matroskaHeader + [0x84] + Array("webm".utf8) + [0x42, 0x87, 0x81, 4]),
        (.avi, Array("RIFF".utf8) + [0, 1, 0, 0] + Array("AVI LIST".utf8)),
        (.mpegTransportStream, (0..<6).flatMap { _ in [0x47] + [UInt8](repeating: 0xFF, count: 187) }),
        (.mpegTransportStream, [1, 2, 3, 4] + (0..<6).flatMap { _ in [0x47] + [UInt8](repeating: 0, count: 191) }),
        (.mpegProgramStream, [0, 0, 1, 0xBA, 0x44]),
        (.ogg, oggPage([0x80] + Array("theora".utf8))),
        (.ogg, oggPage(Array("\u{1}vorbis".utf8)) + oggPage([0x80] + Array("theora".utf8))),
        (.flv, Array("FLV".utf8) + [1, 5, 0, 0, 0, 9]),
        (.asf, [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0, 0xAA, 0, 0x62, 0xCE, 0x6C, 1]),
    ]

    private static func oggPage(_ content: [UInt8]) -> [UInt8] {
        Array("OggS".utf8) + [0, 2] + [UInt8](repeating: 0, count: 20) + [1, UInt8(content.count)] + content
    }

    @Test(arguments: accepted.indices)
    func `a container that may hold a video is named`(index: Int) throws {
        let (format, bytes) = Self.accepted[index]
        #expect(try inspect(bytes) == format)
    }

    private static let refused: [(MediaError.Code, [UInt8])] = [
        (.emptyFile, []),
        (.tooManyStreams, fileType + box("moov", (0..<257).flatMap { _ in track("soun") })),
        (.unknownFormat, [UInt8](repeating: 0, count: 10_000)),
        (.unknownFormat, [0xFF, 0xFE, 0x91, 0x12, 0x99]),
        (.textFile, Array("Dear diary,\nthis is no video. ñandú\n".utf8)),
        (.textFile, [0xEF, 0xBB, 0xBF] + Array("with a mark".utf8)),
        (.textFile, Array("caf".utf8) + [0xE9] + Array(" in Latin-1, which is older than the file name".utf8)),
        (.textFile, [0xFF, 0xFE] + "wide".utf16.flatMap { [UInt8($0), 0] }),
        (.textFile, Array("{\"json\": true}".utf8)),
        (.playlistFile, Array("#EXTM3U\n#EXT-X-TARGETDURATION:9\nfile:///etc/passwd\n".utf8)),
        (.playlistFile, Array("\n ffconcat version 1.0\nfile 'x'\n".utf8)),
        (.playlistFile, Array("# harmless\nfile '/etc/passwd'\n".utf8)),
        (.playlistFile, Array("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n".utf8)),
        (.playlistFile, Array("[playlist]\nFile1=http://x/\n".utf8)),
        (.playlistFile, Array("<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\">".utf8)),
        (.imageFile, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A]), (.imageFile, [0xFF, 0xD8, 0xFF, 0xE0, 0, 16]),
        (.imageFile, Array("GIF89a".utf8)), (.imageFile, Array("RIFF....WEBPVP8 ".utf8)),
        (.imageFile, box("ftyp", Array("heicmif1heic".utf8)) + box("meta")),
        (.imageFile, Array("<svg xmlns='http://www.w3.org/2000/svg'/>".utf8)),
        (.archiveFile, Array("PK\u{3}\u{4}\u{14}\u{0}".utf8)), (.archiveFile, [0x1F, 0x8B, 8]),
        (.archiveFile, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0, 4]),
        (.documentFile, Array("%PDF-1.7\n".utf8)), (.documentFile, [0xD0, 0xCF, 0x11, 0xE0, 0xA1]),
        (.documentFile, Array("PK\u{3}\u{4}..........................[Content_Types].xml".utf8)),
        (.executableFile, [0x7F, 0x45, 0x4C, 0x46, 2]), (.executableFile, Array("MZ".utf8) + [0x90, 0]),
        (.executableFile, Array("#!/bin/sh\nrm -rf /\n".utf8)),
        (.noVideoStream, Array("fLaC".utf8)), (.noVideoStream, Array("RIFF....WAVEfmt ".utf8)),
        (.noVideoStream, Array("ID3".utf8) + [4, 0, 0, 0, 0, 0, 2, 0, 0]),
        (.noVideoStream, mp3Frame + mp3Frame), (.noVideoStream, adtsFrame + adtsFrame),
        (.noVideoStream, oggPage(Array("OpusHead".utf8))),
        (.noVideoStream, fileType + box("moov", track("soun", entry: "mp4a")) + media),
        (.truncatedFile, fileType + box("mdat", [1, 2, 3], claims: 1_000_000)),
        (.truncatedFile, fileType + media),
        (.truncatedFile, fileType + media + box("moov", track("vide"), claims: 100_000)),
        (.truncatedFile, fileType + box("moov", track("vide")) + box("mdat", [1, 2, 3], claims: 1_000_000)),
        (.truncatedFile, fileType),
        (.encrypted, fileType + box("moov", track("vide", entry: "encv")) + media),
    ]

    private static let mp3Frame: [UInt8] = [0xFF, 0xFB, 0x90, 0x00] + [UInt8](repeating: 0, count: 413)
    private static let adtsFrame: [UInt8] =
        [0xFF, 0xF1, 0x50, 0x80, 0x02, 0x1F, 0xFC] + [UInt8](repeating: 0, count: 9)

    @Test(arguments: refused.indices)
    func `what is no video is refused by name`(index: Int) {
        let (code, bytes) = Self.refused[index]
        let error = #expect(throws: MediaError.self) { try inspect(bytes) }
        #expect(error?.code == code)
    }

    @Test func `a missing file is an error of this node and not of the file`() {
        let error = #expect(throws: MediaError.self) { try Sniffer.inspect("/nonexistent/file") }
        #expect(error?.code == .fileUnreadable)
    }

    @Test(arguments: 0..<200)
    func `mangled files never crash and never cost more than the budget`(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        let models = Self.accepted.map(\.1) + Self.refused.map(\.1)
        var bytes = models[Int.random(in: 0..<models.count, using: &random)]
        for _ in 0..<Int.random(in: 1...40, using: &random) where !bytes.isEmpty {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        bytes += (0..<Int.random(in: 0...3000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        expectBounded(bytes)
        expectBounded((0..<4000).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    @Test func `a file of nothing but small boxes is given up`() {
        let many = (0..<20_000).flatMap { _ in Self.box("free") }
        expectBounded(Self.fileType + Self.box("moov", (0..<20_000).flatMap { _ in Self.box("trak") }) + many)
        var nested: [UInt8] = []
        for _ in 0..<500 { nested = Self.box("trak", nested) }
        expectBounded(Self.box("moov", nested))
    }

    private func expectBounded(_ bytes: [UInt8]) {
        var reader = SniffReader(sizeBytes: Int64(bytes.count)) { offset, count throws(MediaError) in
            Array(bytes[Int(offset)..<min(bytes.count, Int(offset) + count)])
        }
        // Either answer is right for random bytes; that there is one, and what it cost, is what is tested.
        _ = try? Sniffer.inspect(&reader)
        #expect(reader.bytesRead <= SniffReader.budgetBytes && reader.reads <= SniffReader.readsMax)
    }
}

/// Sebastiano Vigna's SplitMix64: a seeded stream of numbers in three lines.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
