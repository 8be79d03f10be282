/// One message of an event stream (`text/event-stream`, HTML standard section 9.2), as the bytes that carry it.
package struct ServerSentEvent: Sendable, Hashable {
    package let text: String

    /// - Parameters:
    ///   - id: comes back as `Last-Event-ID` when the client reconnects; nil leaves the last one standing.
    ///   - data: any text; each of its lines becomes a `data:` line.
    package init(name: String, id: Int64? = nil, data: String) {
        precondition(!name.contains(where: \.isNewline), "an event name cannot hold a line break")
        var text = id.map { "id: \($0)\n" } ?? ""
        text += "event: \(name)\n"
        for line in data.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            text += "data: \(line)\n"
        }
        self.text = text + "\n"
    }

    private init(raw: String) { text = raw }

    /// Ignored by clients; tells both ends and everything between them that the connection lives.
    package static let heartbeat = ServerSentEvent(raw: ": still here\n\n")

    /// How long a client waits before it connects again.
    package static func reconnect(afterMilliseconds milliseconds: Int) -> ServerSentEvent {
        ServerSentEvent(raw: "retry: \(milliseconds)\n\n")
    }
}
