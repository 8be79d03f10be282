import Synchronization
import WireProtocol

/// Listens to every connection and counts replies: a call has at most one, and only calls have any.
package final class ReplyTap: Sendable {
    fileprivate struct State {
        var violations: [String] = []
        var calls = 0
        var replies = 0
        var cancels = 0
    }

    fileprivate let state = Mutex(State())

    package var violations: [String] { state.withLock { $0.violations } }
    package var calls: Int { state.withLock { $0.calls } }
    package var replies: Int { state.withLock { $0.replies } }
    package var cancels: Int { state.withLock { $0.cancels } }

    func newConnection() -> any ConnectionTap { OneEnd(self) }

    /// Follows the frames of one end: calls that leave, replies that arrive.
    private final class OneEnd: ConnectionTap {
        private struct Open {
            var sent = FrameCutter()
            var received = FrameCutter()
            var calls: Set<UInt32> = []
        }

        private let tap: ReplyTap
        private let open = Mutex(Open())

        init(_ tap: ReplyTap) { self.tap = tap }

        func sent(_ bytes: [UInt8]) {
            open.withLock { open in
                for frame in open.sent.cut(bytes) where frame.kind == FrameKind.call.rawValue {
                    open.calls.insert(frame.stream)
                    tap.state.withLock { $0.calls += 1 }
                }
            }
        }

        func received(_ bytes: [UInt8]) {
            open.withLock { open in
                for frame in open.received.cut(bytes) {
                    if frame.kind == FrameKind.cancel.rawValue { tap.state.withLock { $0.cancels += 1 } }
                    guard frame.kind == FrameKind.reply.rawValue else { continue }
                    let isAwaited = open.calls.remove(frame.stream) != nil
                    tap.state.withLock { state in
                        state.replies += 1
                        if !isAwaited {
                            state.violations.append("call \(frame.stream) was answered twice, or never made")
                        }
                    }
                }
            }
        }
    }
}

/// Cuts a stream of bytes into frames, trusting their lengths: for tests that look at what our own nodes write.
package struct FrameCutter: Sendable {
    package struct Cut: Hashable, Sendable {
        package let kind: UInt8
        package let stream: UInt32
        /// From the length field on.
        package let bytes: [UInt8]
    }

    private var rest: [UInt8] = []

    package init() {}

    package mutating func cut(_ bytes: [UInt8]) -> [Cut] {
        rest += bytes
        var frames: [Cut] = []
        var start = 0
        while rest.count - start >= Frame.headerBytes {
            let length = rest[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
            // Garbage, as some tests send it: nothing more can be told apart.
            guard length >= 8, length < 1 << 24 else {
                rest = []
                return frames
            }
            guard rest.count - start >= 4 + length else { break }
            let stream = rest[start + 8..<start + 12].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            frames.append(
                Cut(kind: rest[start + 5], stream: stream, bytes: Array(rest[start..<start + 4 + length])))
            start += 4 + length
        }
        rest.removeFirst(start)
        return frames
    }
}
