import Blobs
import HTTPClient

/// What an address answered, its body apart.
struct SourceAnswer: Sendable {
    let status: Int
    /// Where it leads on, as a whole URL.
    let redirect: String?
    let seconds: Double
}

extension ImportConfiguration {
    /// Asks one address, and writes what it sends with status 200.
    func download(
        _ address: String, bytesMax: Int64, secondsMax: Int, into writer: any BlobWriter
    ) async throws -> SourceAnswer {
        var client = HTTPClient()
        client.limits = TransferLimits(
            addresses: addresses, bytesMax: bytesMax, secondsMax: secondsMax, bytesPerSecondMin: bytesPerSecondMin)
        let request = HTTPRequest("GET", address, headers: [("Accept", "video/*, */*;q=0.5")])
        let head = try await client.download(request) { bytes in try await writer.write(bytes) }
        return SourceAnswer(status: head.status, redirect: head.redirect, seconds: head.seconds)
    }
}
