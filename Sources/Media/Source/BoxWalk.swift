/// Walks the boxes of an ISO base media file (MP4, QuickTime; ISO/IEC 14496-12) by their headers.
struct BoxWalk {
    private struct Box {
        let name: String
        /// Of the header, in the file.
        let start: Int64
        let contentStart: Int64
        /// May lie behind the end of the file: then the file is cut.
        let end: Int64
    }

    private var hasMovie = false
    private var hasFragments = false
    private var brand = ""
    private var handlers: Set<String> = []
    private var isEncrypted = false
    /// Of media that the file promises, and of those that lie behind its end.
    private var mediaBytes: Int64 = 0
    private var missingMediaBytes: Int64 = 0
    private var isMovieCut = false
    private var tracks = 0

    /// Boxes that may come first.
    private static let firstNames: Set<String> = [
        "ftyp", "styp", "moov", "mdat", "free", "skip", "wide", "pnot", "jP  ", "JXL ",
    ]
    private static let imageBrands: Set<String> = [
        "heic", "heix", "hevc", "heim", "heis", "mif1", "msf1", "avif", "avis", "crx ",
    ]
    /// Boxes that hold the boxes that matter here.
    private static let parents: Set<String> = ["moov", "trak", "mdia", "minf", "stbl"]
    private static let depthMax = 6
    /// Tracks that are counted before any prober is asked: it opens a decoder for each of them.
    static let tracksMax = 256

    /// The name of the first box when the file starts with one.
    static func firstBoxName(_ head: ByteReading) -> String? {
        let name = self.name(head, at: 4)
        guard firstNames.contains(name) else { return nil }
        let size = head.bigEndian(0, bytes: 4)
        return size == 0 || size == 1 || size >= 8 ? name : nil
    }

    static func recognise(
        firstBox: String, _ head: ByteReading, _ reader: inout SniffReader
    ) throws(MediaError) -> SniffedFormat {
        if firstBox == "jP  " || firstBox == "JXL " { return .image }
        var walk = BoxWalk()
        if firstBox == "ftyp" { walk.brand = name(head, at: 8) }
        try walk.visit(0..<reader.sizeBytes, depth: 0, &reader)
        return try walk.verdict()
    }

    private func verdict() throws(MediaError) -> SniffedFormat {
        if Self.imageBrands.contains(brand), handlers.isDisjoint(with: ["vide"]) { return .image }
        guard hasMovie, !isMovieCut else {
            throw MediaError(.truncatedFile, "the index (moov) is missing or cut")
        }
        // Fragments stand on their own, so a recording that broke off is good up to there. Else the index tells of
        // media that are not here. One per cent is the tail that some recorders never write; decoders step over it.
        if !hasFragments, missingMediaBytes * 100 > mediaBytes {
            throw MediaError(.truncatedFile, "\(missingMediaBytes) of \(mediaBytes) bytes of media are missing")
        }
        if isEncrypted { throw MediaError(.encrypted) }
        if handlers.contains("soun"), !handlers.contains("vide") { return .m4a }
        return brand == "qt  " || brand.isEmpty ? .quickTime : .mp4
    }

    private mutating func visit(
        _ range: Range<Int64>, depth: Int, _ reader: inout SniffReader
    ) throws(MediaError) {
        var position = range.lowerBound
        while let box = try Self.box(at: position, in: range, &reader) {
            try note(box, depth: depth, &reader)
            // Sizes are at least the header's, so this always moves on.
            position = box.end
        }
    }

    private mutating func note(_ box: Box, depth: Int, _ reader: inout SniffReader) throws(MediaError) {
        switch box.name {
        case "mdat":
            mediaBytes = mediaBytes.addingReportingOverflow(box.end - box.start).partialValue
            missingMediaBytes += max(0, box.end - reader.sizeBytes)
        case "moov":
            hasMovie = true
            isMovieCut = box.end > reader.sizeBytes
        case "trak":
            tracks += 1
            guard tracks <= Self.tracksMax else { throw MediaError(.tooManyStreams, "more than \(Self.tracksMax)") }
        case "moof", "mvex": hasFragments = true
        case "hdlr":
            let content = ByteReading(try reader.bytes(at: box.contentStart, 12))
            handlers.insert(Self.name(content, at: 8))
        case "stsd":
            // Version and flags, number of entries, then the first entry: its size and its name.
            let content = ByteReading(try reader.bytes(at: box.contentStart, 16))
            if ["encv", "drmi"].contains(Self.name(content, at: 12)) { isEncrypted = true }
        default: break
        }
        guard depth < Self.depthMax, Self.parents.contains(box.name), box.contentStart < box.end else { return }
        try visit(box.contentStart..<min(box.end, reader.sizeBytes), depth: depth + 1, &reader)
    }

    /// The box whose header stands at `position`; nil behind the last one or where there is nonsense.
    private static func box(
        at position: Int64, in range: Range<Int64>, _ reader: inout SniffReader
    ) throws(MediaError) -> Box? {
        guard position < range.upperBound else { return nil }
        let header = ByteReading(try reader.bytes(at: position, 16))
        guard header.bytes.count >= 8 else { return nil }
        var size = header.bigEndian(0, bytes: 4)
        var headerBytes: Int64 = 8
        if size == 1 {
            guard header.bytes.count == 16 else { return nil }
            size = header.bigEndian(8, bytes: 8)
            headerBytes = 16
        } else if size == 0 {
            // "To the end of the file", allowed for the last box.
            size = UInt64(range.upperBound - position)
        }
        let (end, overflow) = position.addingReportingOverflow(Int64(clamping: size))
        guard !overflow, size >= UInt64(headerBytes) else { return nil }
        return Box(
            name: name(header, at: 4), start: position, contentStart: position + headerBytes, end: end)
    }

    private static func name(_ reading: ByteReading, at index: Int) -> String {
        String(decoding: (0..<4).map { reading.byte(index + $0) }, as: UTF8.self)
    }
}
