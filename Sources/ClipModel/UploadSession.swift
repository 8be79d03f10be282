/// An upload that is on its way, maybe over many requests to many nodes: what has arrived, and who may add to it.
///
/// A machine: the store applies one event to it in one transaction and does what the answer says. Whoever wants to add
/// bytes takes the session first, which raises its epoch; bytes are added under that epoch only. So there may be two
/// who believe that the session is theirs, and never two who add to it.
///
/// ```
/// receiving -> finishing (all bytes are here, somebody makes them one blob) -> finished (they are an upload)
/// any -> gone (terminated, or expired and swept)
/// ```
package struct UploadSession: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Becomes an upload.
        case whole
        /// A piece that is joined with others by a `final` one.
        case partial
        /// Joined from pieces; receives nothing itself.
        case final
    }

    package enum State: String, Sendable, CaseIterable { case receiving, finishing, finished }

    package let id: UploadID
    /// The client that opened it: its quota pays.
    package let tenant: String
    package let kind: Kind
    /// What the client called the file. For display only.
    package let fileName: String
    /// `Upload-Metadata` as the client sent it, to be given back word for word.
    package let metadata: String
    /// `final` only: the pieces, in order.
    package let pieces: [UploadID]
    /// Lower-case hexadecimal SHA-256 that the whole must have; nil: the client did not say.
    package let sha256: String?
    /// Most bytes and parts that it may have, and how long it is kept after its last sign of life.
    package let bounds: UploadBounds
    package let createdAt: Timestamp
    /// Nil: not known yet.
    package private(set) var length: Int64?
    /// Bytes that have arrived, are durable, and have no gap before them.
    package private(set) var received: Int64
    package private(set) var parts: Int
    package private(set) var state: State
    package private(set) var epoch: Int
    /// Who adds to it under `epoch`; nil: nobody does.
    package private(set) var holder: String?
    /// Until when the holder counts as alive.
    package private(set) var heldUntil: Timestamp
    /// Somebody else waits for the holder to let go.
    package private(set) var isAsked: Bool
    package private(set) var expiresAt: Timestamp

    /// One as a store keeps it.
    package init(
        id: UploadID, tenant: String, kind: Kind, fileName: String, metadata: String, pieces: [UploadID],
        sha256: String?, bounds: UploadBounds, createdAt: Timestamp, length: Int64?, received: Int64, parts: Int,
        state: State, epoch: Int, holder: String?, heldUntil: Timestamp, isAsked: Bool, expiresAt: Timestamp
    ) {
        self.id = id
        self.tenant = tenant
        self.kind = kind
        self.fileName = fileName
        self.metadata = metadata
        self.pieces = pieces
        self.sha256 = sha256
        self.bounds = bounds
        self.createdAt = createdAt
        self.length = length
        self.received = received
        self.parts = parts
        self.state = state
        self.epoch = epoch
        self.holder = holder
        self.heldUntil = heldUntil
        self.isAsked = isAsked
        self.expiresAt = expiresAt
    }

    /// A fresh one, in which nothing has arrived. The caller has checked `length` against `bounds`.
    package init(_ draft: UploadSessionDraft, now: Timestamp) {
        self.init(
            id: draft.id, tenant: draft.tenant, kind: draft.kind, fileName: draft.fileName, metadata: draft.metadata,
            pieces: draft.pieces, sha256: draft.sha256, bounds: draft.bounds, createdAt: now, length: draft.length,
            received: 0, parts: 0, state: .receiving, epoch: 0, holder: nil, heldUntil: now, isAsked: false,
            expiresAt: now.advanced(bySeconds: Double(draft.bounds.keepSeconds)))
    }

    /// One that is whole from the beginning: `parts` of other sessions, in order.
    package init(_ draft: UploadSessionDraft, joining pieces: [UploadSession], now: Timestamp) {
        self.init(draft, now: now)
        received = pieces.reduce(0) { $0 + $1.received }
        length = received
        parts = pieces.reduce(0) { $0 + $1.parts }
    }

    /// Every byte is here.
    package var isWhole: Bool { length == received }
    package func hasExpired(at now: Timestamp) -> Bool { state != .finished && expiresAt <= now }
    /// Most bytes that may still come.
    package var room: Int64 { (length ?? bounds.bytesMax) - received }
    private func isHeld(at now: Timestamp) -> Bool { holder != nil && now < heldUntil }
}

/// The limits that a session is opened under.
package struct UploadBounds: Hashable, Sendable {
    package let bytesMax: Int64
    package let partsMax: Int
    package let keepSeconds: Int
    /// How long its holder counts as alive without a word.
    package let leaseSeconds: Int

    package init(bytesMax: Int64, partsMax: Int, keepSeconds: Int, leaseSeconds: Int) {
        precondition(
            bytesMax > 0 && partsMax > 0 && keepSeconds > 0 && leaseSeconds > 0,
            "bounds of an upload must be positive: \(bytesMax), \(partsMax), \(keepSeconds), \(leaseSeconds)")
        self.bytesMax = bytesMax
        self.partsMax = partsMax
        self.keepSeconds = keepSeconds
        self.leaseSeconds = leaseSeconds
    }
}

/// A session to open.
package struct UploadSessionDraft: Hashable, Sendable {
    package let id: UploadID
    package let tenant: String
    package let kind: UploadSession.Kind
    package let fileName: String
    package let metadata: String
    package let pieces: [UploadID]
    package let length: Int64?
    package let sha256: String?
    package let bounds: UploadBounds

    package init(
        id: UploadID, tenant: String, kind: UploadSession.Kind = .whole, fileName: String = "", metadata: String = "",
        pieces: [UploadID] = [], length: Int64?, sha256: String? = nil, bounds: UploadBounds
    ) {
        precondition((kind == .final) == !pieces.isEmpty, "only a final upload has pieces, and it has some")
        self.id = id
        self.tenant = tenant
        self.kind = kind
        self.fileName = fileName
        self.metadata = metadata
        self.pieces = pieces
        self.length = length
        self.sha256 = sha256
        self.bounds = bounds
    }
}

/// Bytes of a session that stand in the blob store. The name holds the session, the epoch and the place.
package struct UploadPart: Hashable, Sendable {
    package let start: Int64
    package let bytes: Int64
    package let blob: BlobName
    /// Lower-case hexadecimal.
    package let sha256: String

    package init(start: Int64, bytes: Int64, blob: BlobName, sha256: String) {
        precondition(start >= 0 && bytes > 0, "a part of \(bytes) bytes at \(start)")
        self.start = start
        self.bytes = bytes
        self.blob = blob
        self.sha256 = sha256
    }

    package var end: Int64 { start + bytes }

    package func moved(to start: Int64) -> UploadPart {
        UploadPart(start: start, bytes: bytes, blob: blob, sha256: sha256)
    }
}

extension UploadSession {
    /// Where the parts of all sessions stand, and those of one.
    package static let partsRoot = BlobName("parts")!
    package static func partsPrefix(of id: UploadID) -> BlobName { BlobName("\(partsRoot)/\(id.ulid)")! }
    package static func partName(of id: UploadID, epoch: Int, start: Int64) -> BlobName {
        BlobName("\(partsPrefix(of: id))/\(epoch)-\(start)")!
    }
}

// MARK: Events

extension UploadSession {
    package enum Event: Hashable, Sendable {
        /// `holder` wants to add bytes, or to be sure that nobody else does. `force`: the one before had its time.
        case take(holder: String, force: Bool)
        case declare(length: Int64, epoch: Int)
        case append(UploadPart, epoch: Int)
        /// The last part has more bytes than before, when it ended at `from`.
        case grow(UploadPart, from: Int64, epoch: Int)
        /// The holder is alive, though nothing was added.
        case renew(epoch: Int)
        case release(epoch: Int)
        /// All bytes are here: the holder makes them one blob.
        case beginFinish(epoch: Int)
        case finish(Upload, epoch: Int)
        /// Nobody needs it for longer than that.
        case expire(withinSeconds: Int)
        case terminate
    }

    package enum Answer: Hashable, Sendable {
        case taken(epoch: Int)
        /// The holder is asked to let go. Come back in a moment, with force when it does not.
        case busy
        case declared
        /// The part counts. `isAsked`: let go soon.
        case appended(isAsked: Bool)
        case renewed
        case released
        case finishing
        case finished
        /// The caller removes the row, and the bytes that only it named.
        case terminated
        /// The epoch is not the latest: somebody else has taken the session. Nothing may be written.
        case stale
        case refused(Refusal)
    }

    package enum Refusal: Hashable, Sendable {
        case finished
        /// Somebody is making it one blob, and is alive.
        case finishing
        case expired
        case takesNothing
        case tooLarge(bytesMax: Int64)
        case tooManyParts(partsMax: Int)
        case lengthDiffers(known: Int64)
        case lengthTooShort(received: Int64)
        case gap(received: Int64)
        case notWhole(received: Int64)
    }

    package mutating func handle(_ event: Event, now: Timestamp) -> Answer {
        if event == .terminate { return .terminated }
        if hasExpired(at: now) { return .refused(.expired) }
        switch event {
        case .take(let holder, let force): return take(holder, force: force, now)
        case .declare(let length, let epoch): return fenced(epoch, now) { $0.declare(length) }
        case .append(let part, let epoch): return fenced(epoch, now) { $0.append(part) }
        case .grow(let part, let from, let epoch): return fenced(epoch, now) { $0.grow(part, from: from) }
        case .renew(let epoch): return fenced(epoch, now) { _ in .renewed }
        case .release(let epoch):
            // Said twice it is as good as said once.
            guard self.epoch == epoch, state != .finished else { return .stale }
            (holder, isAsked) = (nil, false)
            return .released
        case .beginFinish(let epoch):
            return fenced(epoch, now) {
                guard $0.isWhole else { return .refused(.notWhole(received: $0.received)) }
                $0.state = .finishing
                return .finishing
            }
        case .finish(let upload, let epoch): return finish(upload, epoch, now)
        case .expire(let seconds):
            expiresAt = min(expiresAt, now.advanced(bySeconds: Double(seconds)))
            return .renewed
        case .terminate: return .terminated
        }
    }

    private mutating func take(_ newcomer: String, force: Bool, _ now: Timestamp) -> Answer {
        switch state {
        case .finished: return .refused(.finished)
        case .finishing where isHeld(at: now): return .refused(.finishing)
        case .receiving where isHeld(at: now) && !force && holder != newcomer:
            isAsked = true
            return .busy
        case .receiving, .finishing: break
        }
        epoch += 1
        (holder, isAsked) = (newcomer, false)
        prolong(now)
        return .taken(epoch: epoch)
    }

    private mutating func fenced(_ epoch: Int, _ now: Timestamp, _ rule: (inout UploadSession) -> Answer) -> Answer {
        guard self.epoch == epoch, holder != nil, state != .finished else { return .stale }
        let answer = rule(&self)
        prolong(now)
        return answer
    }

    private mutating func declare(_ length: Int64) -> Answer {
        if let known = self.length { return known == length ? .declared : .refused(.lengthDiffers(known: known)) }
        guard length <= bounds.bytesMax else { return .refused(.tooLarge(bytesMax: bounds.bytesMax)) }
        guard length >= received else { return .refused(.lengthTooShort(received: received)) }
        self.length = length
        return .declared
    }

    private mutating func append(_ part: UploadPart) -> Answer {
        guard parts < bounds.partsMax else { return .refused(.tooManyParts(partsMax: bounds.partsMax)) }
        let answer = extend(with: part, from: part.start)
        if case .appended = answer { parts += 1 }
        return answer
    }

    private mutating func grow(_ part: UploadPart, from end: Int64) -> Answer {
        guard part.start < end else { return .refused(.gap(received: received)) }
        return extend(with: part, from: end)
    }

    private mutating func extend(with part: UploadPart, from end: Int64) -> Answer {
        guard kind != .final else { return .refused(.takesNothing) }
        guard end == received, part.end > end else { return .refused(.gap(received: received)) }
        guard part.end - end <= room else { return .refused(.tooLarge(bytesMax: length ?? bounds.bytesMax)) }
        received = part.end
        return .appended(isAsked: isAsked)
    }

    private mutating func finish(_ upload: Upload, _ epoch: Int, _ now: Timestamp) -> Answer {
        // Its answer may have been lost: the same again is the same.
        if state == .finished { return self.epoch == epoch ? .finished : .stale }
        return fenced(epoch, now) {
            guard $0.isWhole, upload.bytes == $0.received, $0.kind != .partial else {
                return .refused(.notWhole(received: $0.received))
            }
            $0.state = .finished
            ($0.holder, $0.isAsked) = (nil, false)
            return .finished
        }
    }

    private mutating func prolong(_ now: Timestamp) {
        heldUntil = now.advanced(bySeconds: Double(bounds.leaseSeconds))
        expiresAt = max(expiresAt, now.advanced(bySeconds: Double(bounds.keepSeconds)))
    }
}
