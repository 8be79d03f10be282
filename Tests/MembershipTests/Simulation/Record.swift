import Membership

/// What was seen of a run, and what of it must never be.
struct Record {
    struct Change {
        let time: Int64
        let observer: Int
        let change: MemberChange
    }

    struct View {
        let time: Int64
        let observer: Int
        let view: MembershipView
    }

    private(set) var violations: [String] = []
    /// Kept apart: in some scenarios burying the living is all that can be done.
    var falseDeaths: [String] = []
    var changes: [Change] = []
    var views: [View] = []
    private(set) var messages = 0
    private(set) var bytes = 0
    private(set) var trace: UInt64 = 0xcbf2_9ce4_8422_2325
    /// The highest incarnation that each life declared itself.
    private var declared: [MemberLife: UInt64] = [:]

    mutating func violated(_ what: String) {
        if violations.count < 5 { violations.append(what) }
    }

    mutating func started(_ life: MemberLife) { declared[life] = 0 }

    mutating func declared(_ member: Member) {
        declared[member.life] = max(declared[member.life] ?? 0, member.incarnation)
    }

    mutating func sent(_ message: MembershipMessage, from sender: MemberLife, limits: MembershipConfiguration) {
        messages += 1
        var size = 0
        for rumour in message.rumours {
            size += rumour.bytes
            guard let own = declared[rumour.member.life] else {
                violated("\(sender) spoke of \(rumour.member.life), who never lived")
                continue
            }
            if rumour.member.incarnation > own {
                violated("\(sender) raised \(rumour.member.life) to \(rumour.member.incarnation); it is at \(own)")
            }
        }
        bytes += size
        let budget =
            switch message {
            case .syncReply: limits.syncBytesMax
            default: limits.gossipBytesMax + 1200
            }
        if size > budget { violated("\(sender) sent \(size) bytes of rumours in one message") }
    }

    mutating func published(_ view: MembershipView, by observer: Int, number: UInt64, digest: UInt64?) {
        if view.number != number + 1 { violated("node \(observer): view \(view.number) after \(number)") }
        if view.digest == digest { violated("node \(observer): view \(view.number) says nothing new") }
        if view.digest != MembershipView(number: 1, members: view.members).digest {
            violated("node \(observer): view \(view.number) has a digest of something else")
        }
        if zip(view.members, view.members.dropFirst()).contains(where: { $0.0.id >= $0.1.id }) {
            violated("node \(observer): view \(view.number) is not sorted, or has somebody twice")
        }
    }

    mutating func mixTrace(_ time: Int64, _ index: Int, _ count: Int) {
        for number in [UInt64(bitPattern: time), UInt64(index), UInt64(count)] {
            trace = (trace ^ number) &* 0x0000_0100_0000_01b3
        }
    }
}

extension World {
    /// When `observer` first believed `status` or worse of that node, counted from `since`, in seconds.
    func seen(_ index: Int, as status: MemberStatus, by observer: Int, since: Duration) -> Double? {
        let start = since.wholeMicroseconds
        let first = record.changes.first {
            $0.observer == observer && $0.time >= start && $0.change.member.id == nodes[index].id
                && $0.change.member.status >= status
        }
        return first.map { Double($0.time - start) / 1e6 }
    }

    /// When the last of the others that are up believed it; nil when one never did.
    func seenByAll(_ index: Int, as status: MemberStatus, since: Duration) -> Double? {
        var latest = 0.0
        for observer in nodes.indices where observer != index && nodes[observer].state == .running {
            guard let time = seen(index, as: status, by: observer, since: since) else { return nil }
            latest = max(latest, time)
        }
        return latest
    }

    func status(of index: Int, by observer: Int) -> MemberStatus? {
        nodes[observer].machine?.member(nodes[index].id)?.status
    }

    /// Whether anybody ever believed `status` of anybody.
    func wasEver(_ status: MemberStatus) -> Bool { record.changes.contains { $0.change.member.status == status } }

    var counters: MembershipCounters {
        var sum = MembershipCounters()
        for node in nodes {
            for counters in node.earlierCounters { sum.add(counters) }
            if let machine = node.machine { sum.add(machine.counters) }
        }
        return sum
    }

    /// All who run believe the same, and it is the truth.
    func checkAgreement() {
        let running = nodes.filter { $0.state == .running && !$0.hasDeparted && !$0.wasReplaced }
        let truth = running.compactMap(\.life).sorted()
        for node in running {
            guard let machine = node.machine, let view = machine.view else {
                record.violated("\(node.id) has no view")
                continue
            }
            if view.members.map(\.life) != truth {
                record.violated("\(node.id) sees \(view.members.map(\.life)), there are \(truth)")
            }
            for member in view.members where member.status == .unreachable {
                record.violated("\(node.id) still holds \(member.id) for \(member.status)")
            }
            if machine.tableDigest != running[0].machine?.tableDigest {
                record.violated("\(node.id) knows something else than \(running[0].id)")
            }
            if view.digest != running[0].machine?.view?.digest {
                record.violated("\(node.id) has another view than \(running[0].id)")
            }
        }
    }
}
