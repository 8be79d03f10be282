package import ClipModel
import Hummingbird
package import Store

/// `/admin/v1/quarantine`: uploads in which malware was found, newest first.
struct AdminQuarantineRoutes: Sendable {
    static let listLimitDefault = 50
    static let listLimitMax = 500

    let book: any QuarantineBook
    let gate: AdminGate

    var routes: [Route] { [Route(.get, "/admin/v1/quarantine", list)] }

    @Sendable private func list(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        let limit = try request.limit(Self.listLimitDefault, most: Self.listLimitMax)
        let cursor: UploadID? = try request.cursor()
        // One more than asked for tells whether there is another page.
        let found = try await book.quarantineEntries(before: cursor, limit: limit + 1)
        let page = Array(found.prefix(limit))
        return JSONAnswer.make(
            QuarantinePage(entries: page, nextCursor: found.count > limit ? page.last?.upload : nil))
    }
}

/// Field names are part of the API: add, do not rename.
package struct QuarantinePage: Codable, Hashable, Sendable {
    package var entries: [QuarantineEntry]
    /// Send it as `cursor` to get the next page; absent on the last one.
    package var nextCursor: UploadID?
}
