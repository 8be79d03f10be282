import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Logging
import Store

/// `/admin/v1/keys`: what clients show to be known by name.
struct AdminKeyRoutes: Sendable {
    static let listLimitDefault = 100
    static let listLimitMax = 500
    static let noteCharactersMax = 256
    static let daysMax = 3650

    let book: any KeyBook
    let gate: AdminGate
    let chance: Chance

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/keys", list),
            Route(.post, "/admin/v1/keys", create),
            Route(.post, "/admin/v1/keys/revoke", revoke),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        let limit = try request.limit(Self.listLimitDefault, most: Self.listLimitMax)
        let client = request.query("client") == nil ? nil : try request.clientName()
        var cursor: KeyID?
        if let text = request.query("cursor") {
            cursor = KeyID(text)
            guard cursor != nil else {
                throw Problem(
                    .badRequest, code: "invalid_cursor", detail: "cursor is not one that this list gave out.",
                    hint: "Begin without a cursor.", field: "cursor")
            }
        }
        // One more than asked for tells whether there is another page.
        let found = try await book.keys(of: client, after: cursor, limit: limit + 1)
        let page = found.prefix(limit).map { OperatorKey($0) }
        return JSONAnswer.make(OperatorKeyPage(keys: page, nextCursor: found.count > limit ? page.last?.id : nil))
    }

    /// An answer that is lost on its way leaves a key that nobody knows: it opens nothing, and is revoked at leisure.
    @Sendable private func create(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .change)
        let client = try request.clientName(), note = try request.note(), days = try request.days()
        let (key, id) = chance.draw { (APIKey.make(using: &$0), KeyID(using: &$0)) }
        let created = try await book.createKey(
            KeyDraft(
                id: id, sha256: key.sha256, client: client, note: note, expiresInSeconds: days.map { $0 * 86_400 }))
        context.logger.notice(
            "operator created a key",
            metadata: [
                "key.id": "\(id)", "tenant": "\(client.tenant)",
                "key.expiresAt": "\(created.expiresAt?.description ?? "never")", "client": "\(context.clientAddress)",
            ])
        return JSONAnswer.make(CreatedKey(secret: key.text, key: OperatorKey(created)), status: .created)
    }

    @Sendable private func revoke(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .change)
        // Text that is no id names no key, so the answer is the same.
        guard let id = request.query("id").flatMap({ KeyID($0) }), let key = try await book.revokeKey(id) else {
            throw Problem(
                .notFound, code: "no_such_key", detail: "No key has this id.",
                hint: "GET /admin/v1/keys lists the keys there are; name one by its id, never by the key itself.",
                field: "id")
        }
        context.logger.notice(
            "operator revoked a key",
            metadata: ["key.id": "\(id)", "tenant": "\(key.client.tenant)", "client": "\(context.clientAddress)"])
        return JSONAnswer.make(OperatorKey(key))
    }
}

extension Request {
    fileprivate func clientName() throws(Problem) -> ClientName {
        guard let name = query("client").flatMap({ ClientName($0) }) else {
            throw Problem(
                .badRequest, code: "invalid_client",
                detail: "client must have 1 to \(ClientName.charactersMax) of a-z, 0-9, '.', '_' and '-'.",
                hint: "Choose a short name for whoever gets the key, as acme or acme.staging.", field: "client")
        }
        return name
    }

    /// Shown on terminals: no control characters, which could say something there that nobody wrote.
    fileprivate func note() throws(Problem) -> String? {
        guard let note = query("note") else { return nil }
        let isPlain = note.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
        guard isPlain, (1...AdminKeyRoutes.noteCharactersMax).contains(note.unicodeScalars.count) else {
            throw Problem(
                .badRequest, code: "invalid_note",
                detail: "note must have 1 to \(AdminKeyRoutes.noteCharactersMax) characters, none of them for control.",
                hint: "Say where the key is used, or leave it out.", field: "note")
        }
        return note
    }

    fileprivate func days() throws(Problem) -> Int? {
        guard let text = query("expiresInDays") else { return nil }
        guard let days = Int(text), (1...AdminKeyRoutes.daysMax).contains(days) else {
            throw Problem(
                .badRequest, code: "invalid_expiresInDays",
                detail: "expiresInDays must be from 1 to \(AdminKeyRoutes.daysMax).",
                hint: "Leave it out for a key that is good until it is revoked.", field: "expiresInDays")
        }
        return days
    }
}
