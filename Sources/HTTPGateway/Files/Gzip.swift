import CZlib

/// Gzip of what is whole in memory: the page's files once, and JSON as it goes out.
package enum Gzip {
    /// Below it the answer fits into one packet anyway.
    static let bytesMin = 1200
    /// Above it an answer is streamed as it is; nothing that is made in memory here comes near.
    static let bytesMax = 8 << 20

    /// Nil: it would not be smaller, or is outside of the bounds.
    package static func compress(_ bytes: [UInt8], level: Int32 = 5) -> [UInt8]? {
        guard (bytesMin...bytesMax).contains(bytes.count) else { return nil }
        let room = tijera_gzip_bound(bytes.count)
        // Both buffers live for the length of the call; `count` is what was written, at most `room`.
        let packed = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe [UInt8](unsafeUninitializedCapacity: room) { output, count in
                guard let from = input.baseAddress, let to = output.baseAddress else { return }
                count = unsafe tijera_gzip(from, input.count, to, room, level)
            }
        }
        return packed.isEmpty || packed.count >= bytes.count ? nil : packed
    }

    /// Whether `Accept-Encoding` wants gzip (RFC 9110 section 12.5.3): named, or `*`, and not with weight 0.
    package static func isAccepted(_ header: String?) -> Bool {
        guard let header else { return false }
        var star = false
        for item in header.split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard let coding = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            if coding == "gzip" || coding == "x-gzip" { return weight > 0 }
            if coding == "*" { star = weight > 0 }
        }
        return star
    }
}
