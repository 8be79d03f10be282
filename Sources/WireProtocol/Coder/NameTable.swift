/// The field names of one message, each once. A name's place in the order of first use is its number.
struct NameTable {
    private(set) var count = 0
    /// All names as they are written behind the message: length, bytes.
    private(set) var bytes: [UInt8] = []
    /// Where each name stands in `bytes`, and its hash.
    private var entries: [Entry] = []
    /// Open addressing by hash: a number plus one, or 0. A power of two, at most half full. Empty while there are so
    /// few names that looking at each is faster.
    private var buckets: [Int32] = []

    private static let searchedMax = 16

    private struct Entry {
        let hash: UInt32
        let start: Int32
        let length: Int32
    }

    /// The number of `name`, which gets one if it has none. `guess` is tried first: fields of a list's records come in
    /// the same order again and again.
    mutating func number(of name: borrowing String, guess: Int) -> Int {
        let text = name.utf8Span.span
        if guess < count, isName(guess, text) { return guess }
        let hash = Self.hash(text)
        if count < Self.searchedMax {
            for number in 0..<count where entries[number].hash == hash && isName(number, text) { return number }
        } else {
            if count * 2 >= buckets.count { grow() }
            let mask = buckets.count - 1
            var place = Int(hash) & mask
            while buckets[place] != 0 {
                let number = Int(buckets[place]) - 1
                if entries[number].hash == hash, isName(number, text) { return number }
                place = (place + 1) & mask
            }
            buckets[place] = Int32(count + 1)
        }
        add(text, hash: hash)
        return count - 1
    }

    private mutating func add(_ text: Span<UInt8>, hash: UInt32) {
        if count == 0 {
            entries.reserveCapacity(8)
            bytes.reserveCapacity(96)
        }
        bytes.append(varint: UInt64(text.count))
        entries.append(Entry(hash: hash, start: Int32(bytes.count), length: Int32(text.count)))
        for index in text.indices { bytes.append(text[index]) }
        count += 1
    }

    private func isName(_ number: Int, _ text: Span<UInt8>) -> Bool {
        let entry = entries[number]
        guard Int(entry.length) == text.count else { return false }
        let start = Int(entry.start)
        for index in text.indices where bytes[start + index] != text[index] { return false }
        return true
    }

    private static func hash(_ text: Span<UInt8>) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5
        for index in text.indices { hash = (hash ^ UInt32(text[index])) &* 0x0100_0193 }
        return hash ^ hash >> 15
    }

    private mutating func grow() {
        buckets = [Int32](repeating: 0, count: max(4 * Self.searchedMax, buckets.count * 2))
        let mask = buckets.count - 1
        for number in 0..<count {
            var place = Int(entries[number].hash) & mask
            while buckets[place] != 0 { place = (place + 1) & mask }
            buckets[place] = Int32(number + 1)
        }
    }
}
