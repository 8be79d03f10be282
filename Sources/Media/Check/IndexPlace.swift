import Foundation

/// Where the index (`moov`) of an MP4 stands. Before the media a player may start while the file still arrives.
enum IndexPlace {
    /// Of the boxes at the top; a clip has four.
    private static let boxesMax = 16

    /// Whether `moov` comes before `mdat` in the file at `path`; false when there is no index at all.
    static func isFirst(path: String) throws(MediaError) -> Bool {
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? file.close() }  // Only read from: nothing can be lost.
            var offset: UInt64 = 0
            for _ in 0..<boxesMax {
                try file.seek(toOffset: offset)
                let header = [UInt8](try file.read(upToCount: 16) ?? Data())
                guard let box = BoxHeader(header) else { return false }
                switch box.name {
                case "moov": return true
                case "mdat": return false
                default: offset += box.bytes
                }
            }
            return false
        } catch {
            throw MediaError(.fileUnreadable, "\(error)")
        }
    }
}

/// The first bytes of a box of an ISO base media file (ISO/IEC 14496-12).
struct BoxHeader: Hashable, Sendable {
    let name: String
    let bytes: UInt64

    /// Nil when `header` is too short, or claims a size that could not even hold itself.
    init?(_ header: [UInt8]) {
        guard header.count >= 8 else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { header[range].reduce(0) { $0 << 8 | UInt64($1) } }
        name = String(decoding: header[4..<8], as: UTF8.self)
        switch number(0..<4) {
        case 0: bytes = UInt64(Int64.max)  // Up to the end of the file.
        case 1:
            guard header.count >= 16, (16...UInt64(Int64.max)).contains(number(8..<16)) else { return nil }
            bytes = number(8..<16)
        case let size where size >= 8: bytes = size
        default: return nil
        }
    }
}
