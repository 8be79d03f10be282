/// Wakes one loop. Rings while it is busy are remembered as one: whoever wakes looks at everything anyway.
struct Ring: Sendable {
    /// Ends when the ring was closed or the task is cancelled. One listener.
    let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func ring() { continuation.yield() }
    func close() { continuation.finish() }
}
