/// Looks at the first pages of an Ogg file (RFC 3533): each stream names its codec at its beginning.
enum OggWalk {
    /// Streams that are looked at. More than a handful is no video anybody made.
    private static let pagesMax = 16

    static func recognise(_ reader: inout SniffReader) throws(MediaError) -> SniffedFormat {
        var position: Int64 = 0
        var hasSound = false
        for _ in 0..<pagesMax {
            let page = ByteReading(try reader.bytes(at: position, 27 + 255 + 16))
            let isFirstOfStream = page.byte(5) & 2 != 0
            guard page.has("OggS"), isFirstOfStream else { break }
            let segments = Int(page.byte(26))
            let content = 27 + segments
            if isPicture(page, at: content) { return .ogg }
            if isSound(page, at: content) { hasSound = true }
            position += Int64(content) + (0..<segments).reduce(0) { $0 + Int64(page.byte(27 + $1)) }
        }
        // Streams of unknown codecs are for the prober to judge.
        return hasSound ? .oggSound : .ogg
    }

    private static func isPicture(_ page: ByteReading, at index: Int) -> Bool {
        page.has("\u{1}video", at: index) || page.has("BBCD", at: index) || page.has("OVP80", at: index)
            || page.has([0x80] + Array("theora".utf8), at: index)
    }

    private static func isSound(_ page: ByteReading, at index: Int) -> Bool {
        page.has("\u{1}vorbis", at: index) || page.has("OpusHead", at: index) || page.has("Speex   ", at: index)
            || page.has([0x7F] + Array("FLAC".utf8), at: index)
    }
}
