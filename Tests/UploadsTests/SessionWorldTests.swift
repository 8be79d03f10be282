import ClipModel
import Testing

/// Every order in which two requests may work on one upload of two bytes: each may take it, politely or by force, add a
/// byte where it believes the upload to stand, join it, let go, or be late with any of this.
@Suite struct SessionWorldTests {
    struct Actor: Hashable {
        var epoch: Int?
        /// Where it believes the upload to stand.
        var seen: Int64 = 0
    }

    struct World: Hashable {
        var session: UploadSession
        /// Starts and ends of what counts, in the order in which it came to count.
        var parts: [Range<Int64>] = []
        var actors = [Actor(), Actor()]
        var now = Timestamp.start
        var finishes = 0
    }

    enum Deed: CaseIterable { case take, force, append, grow, renew, release, beginFinish, finish, expirePiece }

    static let length: Int64 = 2
    static let epochsMax = 4
    static let bounds = UploadBounds(bytesMax: 10, partsMax: 10, keepSeconds: 1000, leaseSeconds: 10)

    static func event(_ deed: Deed, _ name: String, _ actor: Actor) -> UploadSession.Event? {
        if deed == .take { return .take(holder: name, force: false) }
        if deed == .force { return .take(holder: name, force: true) }
        if deed == .expirePiece { return .expire(withinSeconds: 900) }
        guard let epoch = actor.epoch else { return nil }
        switch deed {
        case .append: return .append(.sample(at: actor.seen, bytes: 1), epoch: epoch)
        // What it has added is one byte at most, so a part of it begins there.
        case .grow: return .grow(.sample(at: 0, bytes: actor.seen + 1), from: actor.seen, epoch: epoch)
        case .renew: return .renew(epoch: epoch)
        case .release: return .release(epoch: epoch)
        case .beginFinish: return .beginFinish(epoch: epoch)
        case .finish: return .finish(.sample(bytes: actor.seen), epoch: epoch)
        case .take, .force, .expirePiece: return nil
        }
    }

    /// The world after a deed; nil when the deed makes no sense in it.
    static func step(_ world: World, _ index: Int, _ deed: Deed, _ complaints: inout [String]) -> World? {
        var after = world
        guard let event = event(deed, "request \(index)", world.actors[index]) else { return nil }
        let answer = after.session.handle(event, now: world.now)
        switch (answer, event) {
        case (.taken(let epoch), _):
            if epoch <= world.session.epoch { complaints.append("epoch \(epoch) after \(world.session.epoch)") }
            after.actors[index] = Actor(epoch: epoch, seen: after.session.received)
        case (.appended, .append(let part, let epoch)):
            if epoch != world.session.epoch { complaints.append("epoch \(epoch) wrote in \(world.session.epoch)") }
            after.parts.append(part.start..<part.end)
            after.actors[index].seen = part.end
        case (.appended, .grow(let part, let from, let epoch)):
            if epoch != world.session.epoch { complaints.append("epoch \(epoch) wrote in \(world.session.epoch)") }
            after.parts.append(from..<part.end)
            after.actors[index].seen = part.end
        case (.finished, _):
            if world.session.state != .finished { after.finishes += 1 }
        case (.stale, _), (.refused, _), (.busy, _), (.released, _), (.renewed, _), (.finishing, _): break
        default: complaints.append("\(event) was answered with \(answer)")
        }
        return after
    }

    static func check(_ before: World, _ after: World, _ complaints: inout [String]) {
        let (old, new) = (before.session, after.session)
        if new.received < old.received { complaints.append("the offset fell from \(old.received) to \(new.received)") }
        if new.epoch < old.epoch { complaints.append("the epoch fell") }
        if old.state == .finished, new.state != .finished { complaints.append("a finished upload goes on") }
        if new.state == .finished, new.received != length { complaints.append("finished with \(new.received)") }
        if after.finishes > 1 { complaints.append("finished \(after.finishes) times") }
        var end: Int64 = 0
        for part in after.parts {
            if part.lowerBound != end { complaints.append("a gap before \(part)") }
            end = part.upperBound
        }
        if end != new.received || end > length { complaints.append("\(end) bytes are called \(new.received)") }
    }

    /// Whoever comes with force gets it, at the latest when the holder's lease has run out: there are no dead ends.
    static func checkProgress(_ world: World, _ complaints: inout [String]) {
        guard world.session.state != .finished else { return }
        var session = world.session
        let later = world.now.advanced(bySeconds: Double(bounds.leaseSeconds) + 1)
        guard case .taken(let epoch) = session.handle(.take(holder: "late", force: true), now: later) else {
            return complaints.append("nobody can take \(world.session)")
        }
        while session.received < length {
            let part = UploadPart.sample(at: session.received, bytes: 1)
            guard case .appended = session.handle(.append(part, epoch: epoch), now: later) else {
                return complaints.append("nothing can be added to \(session)")
            }
        }
        _ = session.handle(.beginFinish(epoch: epoch), now: later)
        let answer = session.handle(.finish(.sample(bytes: length), epoch: epoch), now: later)
        if answer != .finished { complaints.append("\(session) cannot be finished: \(answer)") }
    }

    @Test func `in every order the bytes have no gap, count once, and nobody is locked out`() {
        let draft = UploadSessionDraft(id: .sample, tenant: "ana", length: Self.length, bounds: Self.bounds)
        var open = [World(session: UploadSession(draft, now: .start))]
        var seen = Set(open), complaints: [String] = [], finished = 0, stale = 0
        while let world = open.popLast(), complaints.isEmpty {
            if world.session.state == .finished { finished += 1 }
            Self.checkProgress(world, &complaints)
            var next: [World] = []
            for index in 0..<2 {
                for deed in Deed.allCases where deed != .expirePiece || index == 0 {
                    guard let after = Self.step(world, index, deed, &complaints) else { continue }
                    Self.check(world, after, &complaints)
                    if after == world, deed == .append { stale += 1 }
                    next.append(after)
                }
            }
            if world.now < Timestamp.start.advanced(bySeconds: 20) {
                var later = world
                later.now = world.now.advanced(bySeconds: Double(Self.bounds.leaseSeconds))
                next.append(later)
            }
            for after in next where after.session.epoch <= Self.epochsMax && seen.insert(after).inserted {
                open.append(after)
            }
        }
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
        // The rare paths ran.
        #expect(seen.count > 1000, "\(seen.count) worlds")
        #expect(finished > 10 && stale > 10, "\(finished) finished, \(stale) stale")
    }
}

@Suite struct SessionRuleTests {
    private func session(
        length: Int64? = 10, kind: UploadSession.Kind = .whole, bounds: UploadBounds = SessionWorldTests.bounds
    ) -> UploadSession {
        UploadSession(
            UploadSessionDraft(
                id: .sample, tenant: "ana", kind: kind, pieces: kind == .final ? [.sample] : [], length: length,
                bounds: bounds), now: .start)
    }

    @Test func `a holder is asked before it is overrun, and told with its next part`() {
        var session = session()
        #expect(session.handle(.take(holder: "a", force: false), now: .start) == .taken(epoch: 1))
        #expect(session.handle(.take(holder: "b", force: false), now: .start) == .busy)
        #expect(session.handle(.append(.sample(at: 0, bytes: 4), epoch: 1), now: .start) == .appended(isAsked: true))
        #expect(session.handle(.release(epoch: 1), now: .start) == .released)
        #expect(session.handle(.take(holder: "b", force: false), now: .start) == .taken(epoch: 2))
        #expect(session.received == 4)
        #expect(session.handle(.append(.sample(at: 4, bytes: 1), epoch: 1), now: .start) == .stale)
        #expect(session.handle(.release(epoch: 1), now: .start) == .stale)
    }

    @Test func `a length is declared once, inside the bounds, and not below what has come`() {
        var session = session(length: nil)
        _ = session.handle(.take(holder: "a", force: false), now: .start)
        _ = session.handle(.append(.sample(at: 0, bytes: 5), epoch: 1), now: .start)
        #expect(session.handle(.declare(length: 11, epoch: 1), now: .start) == .refused(.tooLarge(bytesMax: 10)))
        #expect(session.handle(.declare(length: 4, epoch: 1), now: .start) == .refused(.lengthTooShort(received: 5)))
        #expect(session.handle(.declare(length: 6, epoch: 1), now: .start) == .declared)
        #expect(session.handle(.declare(length: 6, epoch: 1), now: .start) == .declared)
        #expect(session.handle(.declare(length: 7, epoch: 1), now: .start) == .refused(.lengthDiffers(known: 6)))
        #expect(session.handle(.declare(length: 6, epoch: 0), now: .start) == .stale)
    }

    @Test func `parts beyond the length, the bounds, or with a gap are refused`() {
        let bounds = UploadBounds(bytesMax: 10, partsMax: 2, keepSeconds: 100, leaseSeconds: 10)
        var session = session(length: 3, bounds: bounds)
        _ = session.handle(.take(holder: "a", force: false), now: .start)
        let tooMuch = UploadSession.Event.append(.sample(at: 0, bytes: 4), epoch: 1)
        #expect(session.handle(tooMuch, now: .start) == .refused(.tooLarge(bytesMax: 3)))
        let gap = UploadSession.Event.append(.sample(at: 1, bytes: 1), epoch: 1)
        #expect(session.handle(gap, now: .start) == .refused(.gap(received: 0)))
        for start in [0, 1] as [Int64] {
            let event = UploadSession.Event.append(.sample(at: start, bytes: 1), epoch: 1)
            #expect(session.handle(event, now: .start) == .appended(isAsked: false))
        }
        let third = UploadSession.Event.append(.sample(at: 2, bytes: 1), epoch: 1)
        #expect(session.handle(third, now: .start) == .refused(.tooManyParts(partsMax: 2)))
    }

    @Test func `signs of life keep a session, silence ends it`() {
        var session = session()
        let later = Timestamp.start.advanced(bySeconds: 999)
        #expect(session.handle(.take(holder: "a", force: false), now: later) == .taken(epoch: 1))
        let muchLater = Timestamp.start.advanced(bySeconds: 1998)
        #expect(session.handle(.renew(epoch: 1), now: muchLater) == .renewed)
        let tooLate = Timestamp.start.advanced(bySeconds: 3000)
        #expect(session.handle(.renew(epoch: 1), now: tooLate) == .refused(.expired))
        #expect(session.handle(.terminate, now: tooLate) == .terminated)
    }

    @Test func `a joining is left alone while its node lives, and begun again when it does not`() {
        var session = session(length: 1)
        _ = session.handle(.take(holder: "a", force: false), now: .start)
        #expect(session.handle(.beginFinish(epoch: 1), now: .start) == .refused(.notWhole(received: 0)))
        _ = session.handle(.append(.sample(at: 0, bytes: 1), epoch: 1), now: .start)
        #expect(session.handle(.beginFinish(epoch: 1), now: .start) == .finishing)
        #expect(session.handle(.take(holder: "b", force: true), now: .start) == .refused(.finishing))
        let later = Timestamp.start.advanced(bySeconds: 11)
        #expect(session.handle(.take(holder: "b", force: false), now: later) == .taken(epoch: 2))
        #expect(session.handle(.finish(.sample(bytes: 1), epoch: 1), now: later) == .stale)
        #expect(session.handle(.finish(.sample(bytes: 1), epoch: 2), now: later) == .finished)
        #expect(session.handle(.finish(.sample(bytes: 1), epoch: 2), now: later) == .finished)
        #expect(session.handle(.take(holder: "c", force: true), now: later) == .refused(.finished))
    }

    @Test func `a joined upload takes no bytes, and a piece becomes no upload`() {
        var joined = session(length: nil, kind: .final)
        _ = joined.handle(.take(holder: "a", force: false), now: .start)
        #expect(joined.handle(.append(.sample(at: 0, bytes: 1), epoch: 1), now: .start) == .refused(.takesNothing))
        var piece = session(length: 1, kind: .partial)
        _ = piece.handle(.take(holder: "a", force: false), now: .start)
        _ = piece.handle(.append(.sample(at: 0, bytes: 1), epoch: 1), now: .start)
        #expect(
            piece.handle(.finish(.sample(bytes: 1), epoch: 1), now: .start) == .refused(.notWhole(received: 1)))
    }
}

extension Timestamp { static var start: Timestamp { Timestamp(millisecondsSinceEpoch: 1_700_000_000_000) } }

extension UploadID {
    static let sample: UploadID = {
        var random = SystemRandomNumberGenerator()
        return UploadID(at: .start, using: &random)
    }()
}

extension UploadPart {
    static func sample(at start: Int64, bytes: Int64) -> UploadPart {
        UploadPart(
            start: start, bytes: bytes, blob: UploadSession.partName(of: .sample, epoch: 1, start: start),
            sha256: String(repeating: "0", count: 64))
    }
}

extension Upload {
    static func sample(bytes: Int64) -> Upload {
        Upload(
            id: .sample, fileName: "talk.mp4", bytes: bytes, sha256: String(repeating: "0", count: 64),
            blob: UploadSession.partsPrefix(of: .sample), createdAt: .start)
    }
}
