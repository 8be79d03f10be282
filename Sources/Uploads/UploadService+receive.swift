import Blobs
package import ClipModel
import Store

/// What one request adds to an upload.
package struct UploadAppend: Sendable, Hashable {
    /// Where its bytes begin.
    package var offset: Int64
    /// How many it says will come; nil: it does not say.
    package var announced: Int64?
    /// Length of the whole, where this request says it.
    package var length: Int64?
    package var checksum: UploadChecksum?
    /// True: the whole ends where this request's bytes end. Nil: the request does not say.
    package var completes: Bool?

    package init(
        offset: Int64, announced: Int64? = nil, length: Int64? = nil, checksum: UploadChecksum? = nil,
        completes: Bool? = nil
    ) {
        self.offset = offset
        self.announced = announced
        self.length = length
        self.checksum = checksum
        self.completes = completes
    }
}

extension UploadService {
    /// Adds bytes as they come, part by part, each durable before it counts. When the bytes break off, what has come is
    /// kept: only bytes that their checksum would have to prove are not. When they are the last ones, the session is an
    /// upload when this returns.
    /// - Parameters:
    ///   - stop: makes `next` end early, from another thread.
    ///   - stored: told how much is durable, while more is coming.
    ///   - next: the bytes of the request; nil at their end.
    package func receive<Bytes: Collection<UInt8>>(
        _ append: UploadAppend, of id: UploadID, stop: @escaping @Sendable () -> Void,
        stored: (Int64) -> Void = { _ in }, next: () async throws -> Bytes?
    ) async throws -> UploadSession {
        let before = try await find(id)
        guard before.kind != .final else { throw UploadError.takesNothing }
        let (session, epoch) = try await take(id)
        do {
            let checked = try await check(append, session, epoch)
            var reception = Reception(self, checked, epoch, append)
            do {
                let number = active.begin(id, stop: stop)
                // Not for longer than bytes come: a whole that is refused ends its session, and this request tells so.
                defer { active.end(id, number) }
                try await reception.receive(stored: stored, next: next)
            }
            if append.completes == true, reception.length == nil {
                try await apply(.declare(length: reception.received, epoch: epoch), to: id)
                reception.length = reception.received
            }
            if append.completes == true, let length = reception.length, length != reception.received {
                throw UploadError.lengthDiffers(known: length)
            }
            if reception.length == reception.received, session.kind != .partial {
                return try await finish(try await find(id), epoch)
            }
            guard let released = try await release(id, epoch) else { throw UploadError.takenOver }
            return released
        } catch {
            // Whoever comes next need not wait. Should this fail too, it is taken over in its time.
            _ = try? await release(id, epoch)
            throw error
        }
    }

    /// What can be known before a byte is read.
    private func check(_ append: UploadAppend, _ session: UploadSession, _ epoch: Int) async throws -> UploadSession {
        var session = session
        guard append.offset == session.received else {
            throw UploadError.offsetDiffers(received: session.received, sent: append.offset)
        }
        if let length = append.length {
            if length == 0 { throw UploadError.empty }
            session = try await apply(.declare(length: length, epoch: epoch), to: session.id)
        }
        if let announced = append.announced {
            guard announced <= session.room else {
                throw UploadError.tooLarge(bytesMax: session.length ?? session.bounds.bytesMax)
            }
            if append.completes == true {
                let end = session.received + announced
                if let length = session.length, length != end { throw UploadError.lengthDiffers(known: length) }
                if end == 0 { throw UploadError.empty }
                session = try await apply(.declare(length: end, epoch: epoch), to: session.id)
            }
        }
        return session
    }
}

/// The bytes of one request on their way into parts. Used by one task.
private struct Reception {
    private let service: UploadService
    private let id: UploadID
    private let epoch: Int
    private let checksum: UploadChecksum?
    private let announced: Int64?
    private let start: Int64
    private let room: Int64
    private var digester: UploadChecksum.Digester?
    private var writer: (any BlobWriter)?
    /// Where the bytes of `writer` begin.
    private var partStart: Int64 = 0
    private var arrived: Int64 = 0
    /// Durable.
    private(set) var received: Int64
    var length: Int64?

    init(_ service: UploadService, _ session: UploadSession, _ epoch: Int, _ append: UploadAppend) {
        self.service = service
        id = session.id
        self.epoch = epoch
        checksum = append.checksum
        announced = append.announced
        digester = append.checksum?.digester()
        room = session.room
        start = session.received
        received = start
        length = session.length
    }

    mutating func receive<Bytes: Collection<UInt8>>(
        stored: (Int64) -> Void, next: () async throws -> Bytes?
    ) async throws {
        do { try await takeIn(stored: stored, next: next) } catch {
            // What counts is committed; what is left would only take room.
            await writer?.discard()
            writer = nil
            throw error
        }
    }

    private mutating func takeIn<Bytes: Collection<UInt8>>(
        stored: (Int64) -> Void, next: () async throws -> Bytes?
    ) async throws {
        while true {
            let bytes: Bytes?
            do { bytes = try await next() } catch { return try await wasCut() }
            guard let bytes else { break }
            try await write(bytes)
            guard checksum == nil, let writer, partStart + writer.bytesWritten - received >= service.limits.partBytes
            else { continue }
            try await checkpoint()
            stored(received)
        }
        // A connection that was closed may look like the end of its body.
        if let announced, arrived < announced { return try await wasCut() }
        if let checksum, digester?.finalize() != checksum.value {
            throw UploadError.checksumDiffers(received: received)
        }
        try await commit()
    }

    /// What has come is worth keeping, unless only its whole could be checked.
    private mutating func wasCut() async throws {
        if checksum == nil { try await commit() }
        throw UploadError.connectionLost
    }

    private mutating func write(_ bytes: some Collection<UInt8>) async throws {
        guard !bytes.isEmpty else { return }
        arrived += Int64(bytes.count)
        guard arrived <= room else { throw UploadError.tooLarge(bytesMax: start + room) }
        let writer = try await currentWriter()
        try await writer.write(bytes)
        digester?.update(bytes)
    }

    private mutating func currentWriter() async throws -> any BlobWriter {
        if let writer { return writer }
        partStart = received
        let fresh = try await service.blobs.writer(for: partName, limitBytes: room)
        writer = fresh
        return fresh
    }

    /// Under which name the bytes of `writer` become durable.
    private var partName: BlobName { UploadSession.partName(of: id, epoch: epoch, start: partStart) }

    /// Makes what has come durable while more is coming. Where blobs do not grow, the next bytes begin another part.
    private mutating func checkpoint() async throws {
        guard let writer else { return }
        guard let facts = try await writer.checkpoint() else { return try await commit() }
        try await count(facts)
    }

    /// Makes all that has come durable.
    private mutating func commit() async throws {
        guard let writer else { return }
        self.writer = nil
        // All of it may have been kept already.
        guard partStart + writer.bytesWritten > received else { return await writer.discard() }
        try await count(try await writer.commit())
    }

    /// Says what is durable.
    private mutating func count(_ facts: BlobFacts) async throws {
        let (name, isNew) = (partName, received == partStart)
        let part = UploadPart(start: partStart, bytes: facts.bytes, blob: name, sha256: facts.sha256)
        let change = try await service.store.change(
            id, by: isNew ? .append(part, epoch: epoch) : .grow(part, from: received, epoch: epoch))
        guard let change, case .appended = change.answer else {
            // Nothing points at it. Of one that has grown the beginning counts.
            if isNew { try? await service.blobs.remove([name]) }
            guard let change else { throw UploadError.noSuchUpload }
            if case .refused(let refusal) = change.answer { throw UploadError(refusal, change.session) }
            throw UploadError.takenOver
        }
        received = part.end
    }
}
