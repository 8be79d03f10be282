package import ClipModel

/// Writes a ZIP archive of stored files as a stream (APPNOTE 6.3.10), with Zip64 records where a number needs them.
///
/// Nothing is compressed: clips are H.264, and a stored archive has a length that is known before its first byte. The
/// value keeps the directory only; the caller moves the bytes.
/// Checksums go in front of each file, not behind it, because many readers refuse stored files with a trailing one.
package struct ZipWriter: Sendable {
    /// One file of the archive.
    package struct Entry: Sendable, Hashable {
        package let name: String
        package let bytes: Int64
        package let checksum: UInt32
        package let modifiedAt: Timestamp

        package init(name: String, bytes: Int64, checksum: UInt32, modifiedAt: Timestamp) {
            precondition(
                name.utf8.count <= 0xFFFF && bytes >= 0, "\(name.utf8.count) bytes of name, \(bytes) of content")
            self.name = name
            self.bytes = bytes
            self.checksum = checksum
            self.modifiedAt = modifiedAt
        }
    }

    private var directory: [(entry: Entry, offset: Int64)] = []
    /// Bytes of the archive so far, the content of the last file included.
    private var position: Int64 = 0

    package init() {}

    /// What goes in front of the content of `entry`. The caller then writes exactly `entry.bytes` bytes.
    package mutating func begin(_ entry: Entry) -> [UInt8] {
        let header = Self.localHeader(entry)
        directory.append((entry, position))
        position += Int64(header.count) + entry.bytes
        return header
    }

    /// What goes behind the last file: the central directory and its end.
    package func end() -> [UInt8] {
        var bytes: [UInt8] = []
        for (entry, offset) in directory { bytes += Self.directoryHeader(entry, offset: offset) }
        let size = Int64(bytes.count)
        let needsZip64 = directory.count >= 0xFFFF || size >= limit32 || position >= limit32
        if needsZip64 {
            bytes += words32(0x0606_4B50) + words64(44) + words16(45, 45) + words32(0, 0)
            bytes += words64(Int64(directory.count), Int64(directory.count), size, position)
            bytes += words32(0x0706_4B50, 0) + words64(position + size) + words32(1)
        }
        let count = Int64(min(directory.count, 0xFFFF))
        bytes += words32(0x0605_4B50) + words16(0, 0, count, count)
        bytes += words32(needsZip64 ? limit32 : size, needsZip64 ? limit32 : position) + words16(0)
        return bytes
    }

    /// Length of an archive of these files: the checksums play no part in it, so it is known before anything is read.
    package static func length(of entries: [Entry]) -> Int64 {
        var writer = ZipWriter()
        for entry in entries { _ = writer.begin(entry) }
        return writer.position + Int64(writer.end().count)
    }

    private static func localHeader(_ entry: Entry) -> [UInt8] {
        let isLarge = entry.bytes >= limit32
        let extra = isLarge ? words16(1, 16) + words64(entry.bytes, entry.bytes) : []
        let size = isLarge ? limit32 : entry.bytes
        return words32(0x0403_4B50) + words16(isLarge ? 45 : 20, nameIsUTF8, stored) + dosTime(entry.modifiedAt)
            + words32(Int64(entry.checksum), size, size)
            + words16(Int64(entry.name.utf8.count), Int64(extra.count)) + Array(entry.name.utf8) + extra
    }

    private static func directoryHeader(_ entry: Entry, offset: Int64) -> [UInt8] {
        // Only the numbers that do not fit stand in the extra field, in this order.
        var large: [UInt8] = []
        if entry.bytes >= limit32 { large += words64(entry.bytes, entry.bytes) }
        if offset >= limit32 { large += words64(offset) }
        let extra = large.isEmpty ? [] : words16(1, Int64(large.count)) + large
        let size = min(entry.bytes, limit32)
        let version: Int64 = large.isEmpty ? 20 : 45
        // Made by Unix (3), so that the permissions in the high half of the attributes (a plain file, 0644) count.
        return words32(0x0201_4B50) + words16(3 << 8 | version, version, nameIsUTF8, stored) + dosTime(entry.modifiedAt)
            + words32(Int64(entry.checksum), size, size)
            + words16(Int64(entry.name.utf8.count), Int64(extra.count), 0, 0, 0)
            + words32(0o100644 << 16, min(offset, limit32)) + Array(entry.name.utf8) + extra
    }

    /// Time and date as MS-DOS wrote them: two-second steps since 1980, without a zone (here UTC).
    private static func dosTime(_ moment: Timestamp) -> [UInt8] {
        let text = Array(moment.rawValue.utf8)
        func number(_ range: Range<Int>) -> Int64 { text[range].reduce(0) { $0 * 10 + Int64($1 - 48) } }
        let year = number(0..<4) - 1980
        guard (0..<128).contains(year) else { return words16(0, 1 << 5 | 1) }
        let time = number(11..<13) << 11 | number(14..<16) << 5 | number(17..<19) / 2
        return words16(time, year << 9 | number(5..<7) << 5 | number(8..<10))
    }
}

/// The value that says "look into the Zip64 record".
private let limit32: Int64 = 0xFFFF_FFFF
/// General purpose bit 11.
private let nameIsUTF8: Int64 = 1 << 11
private let stored: Int64 = 0

private func words16(_ values: Int64...) -> [UInt8] { values.flatMap { littleEndian($0, count: 2) } }
private func words32(_ values: Int64...) -> [UInt8] { values.flatMap { littleEndian($0, count: 4) } }
private func words64(_ values: Int64...) -> [UInt8] { values.flatMap { littleEndian($0, count: 8) } }

private func littleEndian(_ value: Int64, count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
