import Foundation

/// What a node tells a speech worker.
package enum SpeechOrder: Hashable, Sendable, Codable {
    case transcribe(id: Int, request: TranscriptionRequest, threads: Int)
    /// Stop working on `id`. Answered by `failed` with `cancelled`, or crossed by the answer itself.
    case cancel(id: Int)
}

/// What a speech worker tells its node.
package enum SpeechReport: Hashable, Sendable, Codable {
    /// The model is loaded.
    case ready
    /// Still computing; 0 to 1.
    case progress(id: Int, fraction: Double)
    case transcribed(id: Int, chunk: TranscribedChunk)
    /// `code` is a `MediaError.Code`. The worker goes on, unless it said so before any request.
    case failed(id: Int?, code: String, detail: String)
}

/// Frames on the pipes between a node and its speech workers: four bytes of length, big-endian, then JSON.
package enum SpeechFrame {
    /// Five minutes of fast speech are 200 KB.
    package static let bytesMaxDefault = 4 << 20

    package enum Defect: Error, Hashable, Sendable {
        case tooLong(bytes: Int, bytesMax: Int)
        case unreadable(detail: String)
    }

    package static func bytes(of value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body: Data
        do {
            body = try encoder.encode(value)
        } catch {
            // Only a number that is not finite cannot be written, and no time or probability of ours may be that.
            preconditionFailure("cannot encode \(value): \(error)")
        }
        return (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (24 - 8 * $0)) } + body
    }

    /// Cuts a stream of bytes into frames. After a defect the stream has no rhythm any more: give it up.
    package struct Reader: Sendable {
        private let bytesMax: Int
        private var pending: [UInt8] = []

        package init(bytesMax: Int = SpeechFrame.bytesMaxDefault) {
            precondition(bytesMax > 0, "frameBytesMax is \(bytesMax)")
            self.bytesMax = bytesMax
        }

        /// The bodies that are complete with `bytes`. The length is checked before the body is waited for.
        package mutating func take(_ bytes: some Sequence<UInt8>) throws(Defect) -> [[UInt8]] {
            pending += bytes
            var (bodies, start) = ([[UInt8]](), 0)
            while pending.count - start >= 4 {
                let length = pending[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
                guard length <= bytesMax else { throw .tooLong(bytes: length, bytesMax: bytesMax) }
                guard pending.count - start >= 4 + length else { break }
                bodies.append(Array(pending[start + 4..<start + 4 + length]))
                start += 4 + length
            }
            pending.removeFirst(start)
            return bodies
        }
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, from body: [UInt8]) throws(Defect) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw .unreadable(detail: String("\(error)".prefix(300)))
        }
    }
}
