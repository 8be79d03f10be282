/// What a transfer on behalf of a stranger may do. It uses no proxy, follows no redirect by itself, and hands on bodies
/// of answers with status 200 only.
package struct TransferLimits: Sendable {
    /// Asked with every address before it is connected to.
    package var addresses: AddressGuard
    package var bytesMax: Int64
    /// From the first look-up of the name to the last byte.
    package var secondsMax: Int
    /// Slowest sender, over `slowSecondsMax`.
    package var bytesPerSecondMin: Int

    package init(addresses: AddressGuard, bytesMax: Int64, secondsMax: Int, bytesPerSecondMin: Int) {
        self.addresses = addresses
        self.bytesMax = bytesMax
        self.secondsMax = secondsMax
        self.bytesPerSecondMin = bytesPerSecondMin
    }

    static let slowSecondsMax = 30
    /// All headers of an answer together, in bytes.
    static let headerBytesMax = 256 << 10

    /// Of bodies that are not handed on, in bytes: a page that says why not.
    static let otherBodyBytesMax = 256 << 10
}

extension HTTPClient {
    /// Chunks on their way from the transfer to whoever takes them; each is what libcurl gives at once, 16 KiB.
    static let chunksMax = 8

    /// Sends a request and hands the body on as it comes; the transfer waits while `take` works. An error of `take`
    /// ends the transfer and is thrown as it is; everything else is an `HTTPClientError`.
    package func download(
        _ request: HTTPRequest, take: ([UInt8]) async throws -> Void
    ) async throws -> HTTPResponseHead {
        let gate = ChunkGate(limit: Self.chunksMax)
        return try await withThrowingTaskGroup(of: HTTPResponseHead.self) { group in
            group.addTask {
                defer { gate.finish() }
                return try await self.transfer(request) { gate.put($0) }
            }
            do {
                for await chunk in gate.chunks {
                    try await take(chunk)
                    gate.taken()
                }
                try Task.checkCancellation()
            } catch {
                gate.stop()
                group.cancelAll()
                throw error
            }
            guard let head = try await group.next() else { throw CancellationError() }
            return head
        }
    }
}
