/// SipHash-2-4: a hash of any bytes to 64 bits under a key of 128 bits, the same on every machine.
///
/// Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012. Swift's own `Hasher` is
/// seeded anew by every process, so it cannot decide who owns a key. A keyed hash is chosen over a plain one because
/// clients choose some of our keys (an API key of the rate limiter): who does not know the salt cannot collect keys
/// that all fall on one node.
package struct SipHash: Sendable, Hashable {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64
    /// Bytes that do not fill a word yet, the first in the lowest place.
    private var tail: UInt64 = 0
    private var byteCount: UInt64 = 0

    /// - Parameters:
    ///   - low: bytes 0 to 7 of the key, the first in the lowest place.
    ///   - high: bytes 8 to 15.
    package init(keyLow low: UInt64, keyHigh high: UInt64) {
        v0 = low ^ 0x736f_6d65_7073_6575
        v1 = high ^ 0x646f_7261_6e64_6f6d
        v2 = low ^ 0x6c79_6765_6e65_7261
        v3 = high ^ 0x7465_6462_7974_6573
    }

    package mutating func absorb(_ byte: UInt8) {
        tail |= UInt64(byte) << (8 * (byteCount & 7))
        byteCount += 1
        if byteCount & 7 == 0 {
            compress(tail)
            tail = 0
        }
    }

    /// Eight bytes, the lowest first.
    package mutating func absorb(_ word: UInt64) {
        let offset = 8 * (byteCount & 7)
        compress(tail | word << offset)
        // `>>` of a whole word is zero in Swift, which is what an empty tail needs.
        tail = word >> (64 - offset)
        byteCount += 8
    }

    /// The text in UTF-8, without a length: see `absorb(field:)`.
    @inline(__always)
    package mutating func absorb(_ text: String) {
        let bytes = text.utf8Span.span
        var index = 0
        while index + 8 <= bytes.count {
            var word: UInt64 = 0
            for place in 0..<8 { word |= UInt64(bytes[index + place]) << UInt64(8 * place) }
            absorb(word)
            index += 8
        }
        while index < bytes.count {
            absorb(bytes[index])
            index += 1
        }
    }

    /// The text with its length before it, so that ("ab", "c") and ("a", "bc") differ.
    package mutating func absorb(field text: String) {
        absorb(UInt64(text.utf8.count))
        absorb(text)
    }

    /// The hash of everything that was absorbed.
    package func finished() -> UInt64 {
        var state = self
        state.compress(tail | byteCount << 56)
        state.v2 ^= 0xff
        for _ in 0..<4 { state.round() }
        return state.v0 ^ state.v1 ^ state.v2 ^ state.v3
    }

    @inline(__always)
    private mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inline(__always)
    private mutating func round() {
        v0 &+= v1
        v2 &+= v3
        v1 = rotated(v1, 13) ^ v0
        v3 = rotated(v3, 16) ^ v2
        v0 = rotated(v0, 32)
        v2 &+= v1
        v0 &+= v3
        v1 = rotated(v1, 17) ^ v2
        v3 = rotated(v3, 21) ^ v0
        v2 = rotated(v2, 32)
    }
}

@inline(__always)
private func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word &<< count | word &>> (64 - count) }

/// Spreads a number over all 64 bits; a bijection. The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014; constants: Stafford's mix 13).
///
/// Key and member are hashed once each and then mixed here, so a member costs two multiplications and not a SipHash.
@inline(__always)
package func mixed(_ number: UInt64) -> UInt64 {
    var z = number
    z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z &>> 31)
}
