/// Where a call belongs in a distributed trace: W3C Trace Context (https://www.w3.org/TR/trace-context-2/), whose
/// level 2 takes everything that level 1 does.
package struct TraceContext: Hashable, Sendable {
    /// Sixteen bytes, never all zero.
    package let traceID: UInt128
    /// The caller's span, never zero.
    package let parentID: UInt64
    /// Bit 0: the trace is recorded. The others are passed on as they came.
    package let flags: UInt8
    /// What tracing systems want to carry along: `key=value,key=value`, or empty.
    package let state: String

    /// Bytes of `state`; 512, which the specification asks everybody to pass on.
    package static let stateBytesMax = 512
    /// Members of `state`; 32 by the specification.
    static let stateMembersMax = 32

    /// Nil for what the specification calls invalid: identifiers that are zero, a state that is malformed or too long.
    package init?(traceID: UInt128, parentID: UInt64, flags: UInt8, state: String = "") {
        guard traceID != 0, parentID != 0, Self.isValid(state: state) else { return nil }
        self.traceID = traceID
        self.parentID = parentID
        self.flags = flags
        self.state = state
    }

    /// From the headers of HTTP. A malformed `traceparent` is nil; a malformed `tracestate` is dropped, as the
    /// specification says, for it must not cost the trace.
    package init?(traceparent: String, tracestate: String = "") {
        let parts = traceparent.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, let version = Self.number(UInt8.self, parts[0], digits: 2), version != 0xFF,
            version > 0 || parts.count == 4, let traceID = Self.number(UInt128.self, parts[1], digits: 32),
            let parentID = Self.number(UInt64.self, parts[2], digits: 16),
            let flags = Self.number(UInt8.self, parts[3], digits: 2)
        else { return nil }
        let state = Self.isValid(state: tracestate) ? tracestate : ""
        self.init(traceID: traceID, parentID: parentID, flags: flags, state: state)
    }

    /// The value of the header `traceparent`, version 00.
    package var traceparent: String {
        "00-\(Self.hexadecimal(traceID))-\(Self.hexadecimal(parentID))-\(Self.hexadecimal(flags))"
    }

    package var isSampled: Bool { flags & 1 == 1 }

    /// The same trace with a span of ours as the parent.
    package func continued(as span: UInt64) -> TraceContext? {
        TraceContext(traceID: traceID, parentID: span, flags: flags, state: state)
    }
}

// MARK: - Text

extension TraceContext {
    /// Lower case only, as the specification has it: other case would be another identifier to some.
    private static func number<Number: FixedWidthInteger>(
        _ type: Number.Type, _ text: Substring.UTF8View, digits: Int
    ) -> Number? {
        guard text.count == digits else { return nil }
        var number: Number = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            number = number << 4 | Number(digit)
        }
        return number
    }

    private static func hexadecimal<Number: FixedWidthInteger & UnsignedInteger>(_ number: Number) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: Number.bitWidth / 4 - digits.count) + digits
    }

    /// §3.3 of the specification: up to 32 members `key=value`, separated by commas, keys not repeated.
    static func isValid(state: String) -> Bool {
        if state.isEmpty { return true }
        guard state.utf8.count <= stateBytesMax else { return false }
        let members = state.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard members.count <= stateMembersMax else { return false }
        var keys: Set<String> = []
        for member in members {
            let trimmed = trimmingSpaces(member)
            // Empty members are allowed: a header that was put together from several may have them.
            if trimmed.isEmpty { continue }
            guard let equals = trimmed.firstIndex(of: UInt8(ascii: "=")) else { return false }
            let key = trimmed[..<equals]
            let value = trimmed[trimmed.index(after: equals)...]
            guard isKey(key), isValue(value), keys.insert(String(Substring(key))).inserted else { return false }
        }
        return true
    }

    private static func trimmingSpaces(_ text: Substring.UTF8View) -> Substring.UTF8View {
        let blank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let first = text.firstIndex(where: { !blank($0) }), let last = text.lastIndex(where: { !blank($0) })
        else { return text.prefix(0) }
        return text[first...last]
    }

    private static func isKey(_ key: Substring.UTF8View) -> Bool {
        guard (1...256).contains(key.count), let first = key.first, isLowerOrDigit(first) else { return false }
        return key.allSatisfy { isLowerOrDigit($0) || "_-*/@".utf8.contains($0) }
    }

    private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isValue(_ value: Substring.UTF8View) -> Bool {
        guard (1...256).contains(value.count), value.last != UInt8(ascii: " ") else { return false }
        return value.allSatisfy {
            (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=")
        }
    }
}
