/// CRC-32 as ZIP wants it (reflected polynomial 0xEDB88320), eight bytes a turn ("slicing by 8", Intel 2006).
package struct Checksum32: Sendable, Hashable {
    private var register: UInt32 = 0xFFFF_FFFF

    package init() {}

    package var value: UInt32 { register ^ 0xFFFF_FFFF }

    package mutating func update(_ bytes: [UInt8]) {
        let tables = Self.tables
        let bytes = bytes.span
        var state = register
        var position = 0
        while position + 8 <= bytes.count {
            let low =
                state
                ^ (UInt32(bytes[position]) | UInt32(bytes[position + 1]) << 8 | UInt32(bytes[position + 2]) << 16
                    | UInt32(bytes[position + 3]) << 24)
            state =
                tables[7 * 256 + Int(low & 255)] ^ tables[6 * 256 + Int(low >> 8 & 255)]
                ^ tables[5 * 256 + Int(low >> 16 & 255)] ^ tables[4 * 256 + Int(low >> 24)]
                ^ tables[3 * 256 + Int(bytes[position + 4])] ^ tables[2 * 256 + Int(bytes[position + 5])]
                ^ tables[256 + Int(bytes[position + 6])] ^ tables[Int(bytes[position + 7])]
            position += 8
        }
        while position < bytes.count {
            state = tables[Int((state ^ UInt32(bytes[position])) & 255)] ^ state >> 8
            position += 1
        }
        register = state
    }

    /// Table `n` holds the effect of a byte that `n` more zero bytes follow.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var entry = UInt32(byte)
            for _ in 0..<8 { entry = entry & 1 == 1 ? entry >> 1 ^ 0xEDB8_8320 : entry >> 1 }
            tables[byte] = entry
        }
        for slot in 256..<tables.count {
            let before = tables[slot - 256]
            tables[slot] = tables[Int(before & 255)] ^ before >> 8
        }
        return tables
    }()
}
