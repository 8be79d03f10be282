/// Rumours on their way out: those that were sent least often go first, the newest of them first.
package struct RumourQueue: Sendable {
    private struct Item: Sendable {
        let rumour: Rumour
        let bytes: Int
    }

    /// By how often they were sent.
    private var sent: [[Item]] = []
    package private(set) var count = 0

    package var isEmpty: Bool { count == 0 }

    package init() {}

    /// Returns how many were pushed out to stay within `max`.
    package mutating func insert(_ rumour: Rumour, max: Int) -> Int {
        if sent.isEmpty { sent.append([]) }
        sent[0].append(Item(rumour: rumour, bytes: rumour.bytes))
        count += 1
        var dropped = 0
        while count > max, let last = sent.lastIndex(where: { !$0.isEmpty }) {
            sent[last].removeFirst()
            count -= 1
            dropped += 1
        }
        return dropped
    }

    /// Rumours for one message, within `bytes`. Counts them as sent once more, lets those go that were sent
    /// `transmissionsMax` times, and those that are `isCurrent` no longer.
    package mutating func take(bytes: Int, transmissionsMax: Int, isCurrent: (Rumour) -> Bool) -> [Rumour] {
        var left = bytes
        var taken: [Rumour] = []
        var again: [(times: Int, item: Item)] = []
        for times in sent.indices {
            var waiting: [Item] = []
            // A few that are too large for the rest may be passed over for a smaller one.
            while waiting.count < 4, let item = sent[times].popLast() {
                guard times < transmissionsMax, isCurrent(item.rumour) else {
                    count -= 1
                    continue
                }
                guard item.bytes <= left else {
                    waiting.append(item)
                    continue
                }
                left -= item.bytes
                taken.append(item.rumour)
                if times + 1 < transmissionsMax { again.append((times + 1, item)) } else { count -= 1 }
            }
            sent[times].append(contentsOf: waiting.reversed())
            if waiting.count == 4 { break }
        }
        for (times, item) in again {
            while sent.count <= times { sent.append([]) }
            sent[times].append(item)
        }
        return taken
    }
}

extension Rumour {
    /// About what it takes on the wire: the texts, and 64 bytes for numbers, lengths and tags.
    package var bytes: Int {
        let metadata = member.metadata
        return 64 + member.life.id.rawValue.utf8.count + metadata.region.utf8.count + metadata.zone.utf8.count
            + metadata.version.utf8.count + metadata.httpAddress.utf8.count + metadata.peerAddress.host.utf8.count
            + (accuser?.rawValue.utf8.count ?? 0)
    }

    var standing: Standing { Standing(member, leaseStamp: leaseStamp) }
}
