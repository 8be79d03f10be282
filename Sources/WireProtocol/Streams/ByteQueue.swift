/// Bytes first in, first out, in the pieces they came in. Small pieces are put together: a thousand writes of ten bytes
/// are not a thousand arrays.
package struct ByteQueue: Sendable {
    /// Pieces up to this size are copied into one growing array; 4 KiB. Larger ones are kept as they are.
    package static let smallBytesMax = 4096

    package private(set) var count = 0
    private var pieces: [ArraySlice<UInt8>] = []
    private var first = 0
    /// Small pieces that came last.
    private var tail: [UInt8] = []

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// Keeps `bytes`; a large piece is not copied unless `copying`.
    package mutating func append(_ bytes: ArraySlice<UInt8>, copying: Bool = false) {
        if bytes.isEmpty { return }
        count += bytes.count
        if copying || bytes.count <= Self.smallBytesMax {
            tail.append(contentsOf: bytes)
        } else {
            closeTail()
            pieces.append(bytes)
        }
    }

    /// The next piece, at most `limit` bytes of it; nil when there is nothing.
    package mutating func take(upTo limit: Int) -> ArraySlice<UInt8>? {
        if first == pieces.count { closeTail() }
        guard first < pieces.count, limit > 0 else { return nil }
        let piece = pieces[first]
        if piece.count > limit {
            pieces[first] = piece.dropFirst(limit)
            count -= limit
            return piece.prefix(limit)
        }
        pieces[first] = []
        first += 1
        count -= piece.count
        // Constant time per piece: what was taken is dropped when it is half of what is kept.
        if first * 2 >= pieces.count {
            pieces.removeFirst(first)
            first = 0
        }
        return piece
    }

    package mutating func removeAll() { self = ByteQueue() }

    private mutating func closeTail() {
        if tail.isEmpty { return }
        pieces.append(tail[...])
        tail = []
    }
}
