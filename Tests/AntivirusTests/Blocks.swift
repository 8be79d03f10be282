import Antivirus
import TestSupport

/// Blocks as a reader of blobs gives them.
struct Blocks: AsyncSequence, Sendable {
    let bytes: [UInt8]
    var blockBytes = 100_000

    struct Iterator: AsyncIteratorProtocol {
        var rest: ArraySlice<UInt8>
        let blockBytes: Int

        mutating func next() async -> [UInt8]? {
            guard !rest.isEmpty else { return nil }
            defer { rest = rest.dropFirst(blockBytes) }
            return Array(rest.prefix(blockBytes))
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(rest: bytes[...], blockBytes: blockBytes) }
}

extension ClamdServer {
    var address: ClamdAddress { ClamdAddress(place)! }
}
