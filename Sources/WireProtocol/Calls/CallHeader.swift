/// What is to be called: the number that both sides have agreed on, or the name in full when there is none.
package enum CallTarget: Hashable, Sendable {
    /// The place of the name in the callee's list of call targets.
    case number(UInt32)
    case name(String)
}

/// What stands before the arguments of a call.
package struct CallHeader: Hashable, Sendable {
    /// Bytes of a name; 1,024. Mangled names have 60 to 200.
    package static let nameBytesMax = 1024
    /// Bytes of an actor's identity; 1,024.
    package static let actorBytesMax = 1024

    package var target: CallTarget
    /// Which actor; the bytes mean something to the actor system alone.
    package var actor: ArraySlice<UInt8>
    /// How long the caller will still wait, when the call was written; nil for no limit. Never a time of day: clocks of
    /// two machines differ by more than most deadlines. 0 means that it is too late already.
    package var remainingMilliseconds: UInt32?
    /// The digest of the placement view by which the caller chose this node.
    package var viewDigest: UInt64?
    package var trace: TraceContext?

    package init(
        target: CallTarget, actor: ArraySlice<UInt8>, remainingMilliseconds: UInt32? = nil, viewDigest: UInt64? = nil,
        trace: TraceContext? = nil
    ) {
        self.target = target
        self.actor = actor
        self.remainingMilliseconds = remainingMilliseconds
        self.viewDigest = viewDigest
        self.trace = trace
    }

    /// The time left in whole milliseconds, rounded up: a caller that waits 0.4 ms more would not like to hear 0.
    package static func milliseconds(_ remaining: Duration) -> UInt32 {
        guard remaining > .zero else { return 0 }
        let (seconds, attoseconds) = remaining.components
        guard seconds < Int64(UInt32.max) / 1000 else { return .max }
        let fraction = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return UInt32(seconds * 1000 + fraction)
    }
}

// MARK: - Bytes

extension CallHeader {
    private enum Bit {
        static let name: UInt8 = 0x01
        static let deadline: UInt8 = 0x02
        static let view: UInt8 = 0x04
        static let trace: UInt8 = 0x08
        static let state: UInt8 = 0x10
        static let all: UInt8 = 0x1F
    }

    /// Appends the header; the arguments follow.
    package func append(to bytes: inout [UInt8]) throws(WireError) {
        guard actor.count <= Self.actorBytesMax else {
            throw WireError(.tooMany, "an actor identity of \(actor.count) bytes, at most \(Self.actorBytesMax)")
        }
        bytes.append(contents)
        switch target {
        case .number(let number): bytes.append(varint: UInt64(number))
        case .name(let name):
            guard name.utf8.count <= Self.nameBytesMax else {
                throw WireError(.tooMany, "a target name of \(name.utf8.count) bytes, at most \(Self.nameBytesMax)")
            }
            bytes.append(counted: name)
        }
        bytes.append(counted: actor)
        if let remainingMilliseconds { bytes.append(varint: UInt64(remainingMilliseconds)) }
        if let viewDigest { bytes.append(bigEndian: viewDigest) }
        guard let trace else { return }
        bytes.append(bigEndian: trace.traceID)
        bytes.append(bigEndian: trace.parentID)
        bytes.append(trace.flags)
        if !trace.state.isEmpty { bytes.append(counted: trace.state) }
    }

    private var contents: UInt8 {
        var bits: UInt8 = 0
        if case .name = target { bits |= Bit.name }
        if remainingMilliseconds != nil { bits |= Bit.deadline }
        if viewDigest != nil { bits |= Bit.view }
        if let trace { bits |= trace.state.isEmpty ? Bit.trace : Bit.trace | Bit.state }
        return bits
    }

    /// The header of a call's payload, and the arguments that follow it.
    package static func parse(
        _ payload: ArraySlice<UInt8>
    ) throws(WireError) -> (header: CallHeader, arguments: ArraySlice<UInt8>) {
        var reader = ByteReader(payload)
        let bits = try reader.byte("a call header")
        guard bits & ~Bit.all == 0, bits & (Bit.trace | Bit.state) != Bit.state else {
            throw WireError(.reservedBits, "contents \(bits) of a call header")
        }
        let target: CallTarget
        if bits & Bit.name == 0 {
            guard let number = UInt32(exactly: try reader.varint("a call target")) else {
                throw WireError(.malformed, "a call target over 32 bits")
            }
            target = .number(number)
        } else {
            target = .name(try reader.countedText(bytesMax: nameBytesMax, "a call target"))
        }
        var header = CallHeader(
            target: target, actor: try reader.counted(bytesMax: actorBytesMax, "an actor identity"))
        if bits & Bit.deadline != 0 {
            guard let remaining = UInt32(exactly: try reader.varint("a remaining time")) else {
                throw WireError(.malformed, "a remaining time over 32 bits")
            }
            header.remainingMilliseconds = remaining
        }
        if bits & Bit.view != 0 { header.viewDigest = try reader.bigEndian(UInt64.self, "a view digest") }
        if bits & Bit.trace != 0 { header.trace = try trace(&reader, hasState: bits & Bit.state != 0) }
        return (header, reader.rest)
    }

    private static func trace(_ reader: inout ByteReader, hasState: Bool) throws(WireError) -> TraceContext {
        let traceID = try reader.bigEndian(UInt128.self, "a trace id")
        let parentID = try reader.bigEndian(UInt64.self, "a parent id")
        let flags = try reader.byte("trace flags")
        let state =
            hasState ? try reader.countedText(bytesMax: TraceContext.stateBytesMax, "a trace state") : ""
        guard !hasState || !state.isEmpty,
            let trace = TraceContext(traceID: traceID, parentID: parentID, flags: flags, state: state)
        else { throw WireError(.malformed, "a trace context that W3C calls invalid") }
        return trace
    }
}
