import ClipModel
package import Store

/// Signals as the text of notifications: `w`, `j:<job>`, `s:<job>` and `u:<upload>`, separated by spaces.
package enum Announcement {
    package static let channel = "tijera"
    /// The server takes payloads below 8000 bytes.
    package static let payloadBytesMax = 7900

    package static func payloads(of signals: some Collection<StoreSignal>) -> [String] {
        var payloads: [String] = []
        for word in Set(signals.map(word(for:))).sorted() {
            if let last = payloads.last, last.utf8.count + 1 + word.utf8.count <= payloadBytesMax {
                payloads[payloads.count - 1] = last + " " + word
            } else {
                payloads.append(word)
            }
        }
        return payloads
    }

    /// Words of a newer release are skipped: they are hints, and polling is the backstop.
    package static func signals(in payload: String) -> [StoreSignal] {
        payload.split(separator: " ").compactMap(signal(for:))
    }

    private static func word(for signal: StoreSignal) -> String {
        switch signal {
        case .work: "w"
        case .resynchronise: "r"
        case .job(let id): "j:\(id)"
        case .stop(let id): "s:\(id)"
        case .upload(let id): "u:\(id)"
        }
    }

    private static func signal(for word: Substring) -> StoreSignal? {
        let rest = String(word.dropFirst(2))
        return switch word.prefix(2) {
        case "w": .work
        case "r": .resynchronise
        case "j:": JobID(rest).map { .job($0) }
        case "s:": JobID(rest).map { .stop($0) }
        case "u:": UploadID(rest).map { .upload($0) }
        default: nil
        }
    }
}
