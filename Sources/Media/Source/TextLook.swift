/// Tells text from other bytes, and what kind of text it is.
enum TextLook {
    /// How much of the beginning must look like text, in bytes.
    private static let proofBytes = 4096

    static func recognise(_ head: ByteReading) -> SniffedFormat? {
        if head.has([0xFF, 0xFE]) || head.has([0xFE, 0xFF]) { return isWideText(head) ? .text : nil }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let bytes = head.bytes.dropFirst(head.has(byteOrderMark) ? 3 : 0).prefix(proofBytes)
        guard isPlainText(bytes, isWhole: bytes.count < proofBytes) else { return nil }
        let start = String(decoding: bytes, as: UTF8.self).drop(while: \.isWhitespace).prefix(2000)
        let text = start.lowercased()
        if isPlaylist(text) { return .playlist }
        return text.hasPrefix("<svg") || text.hasPrefix("<?xml") && text.contains("<svg") ? .image : .text
    }

    /// Everything that makes a player open something else: HLS, ffmpeg's concat, PLS, SDP, DASH, Smooth Streaming,
    /// SMIL, ASX and XSPF.
    private static func isPlaylist(_ text: String) -> Bool {
        let beginnings = ["#extm3u", "ffconcat", "[playlist]", "v=0", "rtsp://", "[reference]", "<asx", "<smil"]
        if beginnings.contains(where: text.hasPrefix) { return true }
        // A concat script needs no first line: `file 'name'` is enough of it, after comments.
        let line = text.split(whereSeparator: \.isNewline).first { !$0.hasPrefix("#") } ?? ""
        if line.hasPrefix("file ") || line.hasPrefix("file\t") { return true }
        let elements = ["<mpd", "<smoothstreamingmedia", "<smil", "<asx", "xspf.org"]
        return text.hasPrefix("<") && elements.contains(where: text.contains)
    }

    /// UTF-8 without control characters but for those that text has. A character that is cut at the end counts as one.
    private static func isPlainText(_ bytes: ArraySlice<UInt8>, isWhole: Bool) -> Bool {
        let isControl = { (byte: UInt8) in byte < 0x20 && !(0x08...0x0D).contains(byte) && byte != 0x1B || byte == 0x7F
        }
        guard !bytes.isEmpty, !bytes.contains(where: isControl) else { return false }
        if isUTF8(bytes) { return true }
        if !isWhole, (1...3).contains(where: { isUTF8(bytes.dropLast($0)) }) { return true }
        // Latin-1 text, mostly ASCII.
        return bytes.count { $0 >= 0x80 } * 10 < bytes.count
    }

    private static func isUTF8(_ bytes: ArraySlice<UInt8>) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    /// UTF-16 with a byte order mark: every second byte of Western text is zero.
    private static func isWideText(_ head: ByteReading) -> Bool {
        let bytes = head.bytes.prefix(proofBytes)
        return bytes.count { $0 == 0 } * 4 > bytes.count
    }
}
