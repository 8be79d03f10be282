import Testing
import WireProtocol

@Suite struct CallHeaderTests {
    static let headers: [CallHeader] = {
        var headers: [CallHeader] = []
        for target in [CallTarget.number(0), .number(127), .number(.max), .name("$s4main5AlphaC3oneyyFTE")] {
            for actor in [[], [7], Samples.number(CallHeader.actorBytesMax)] as [[UInt8]] {
                for remaining in [nil, 0, 5000, UInt32.max] as [UInt32?] {
                    for view in [nil, 0, UInt64.max] as [UInt64?] {
                        for trace in [nil, Samples.trace, TraceContext(traceID: 1, parentID: 2, flags: 3)] {
                            headers.append(
                                CallHeader(
                                    target: target, actor: actor[...], remainingMilliseconds: remaining,
                                    viewDigest: view, trace: trace))
                        }
                    }
                }
            }
        }
        return headers
    }()

    @Test func `every combination of contents comes back, with the arguments`() throws {
        for header in Self.headers {
            let bytes = try Samples.payload { try header.append(to: &$0) } + [1, 2, 3]
            let (parsed, arguments) = try CallHeader.parse(bytes[...])
            #expect(parsed == header)
            #expect(Array(arguments) == [1, 2, 3])
        }
    }

    @Test func `a header that is cut anywhere is refused`() throws {
        for header in Self.headers.filter({ $0.actor.count < 10 }) {
            let bytes = try Samples.payload { try header.append(to: &$0) }
            for end in 0..<bytes.count {
                #expect(wireError { _ = try CallHeader.parse(bytes[..<end]) }?.code == .malformed)
            }
        }
    }

    @Test func `a small call costs few bytes`() throws {
        let header = CallHeader(target: .number(3), actor: [1, 2, 3], remainingMilliseconds: 5000)
        #expect(try Samples.payload { try header.append(to: &$0) } == [2, 3, 3, 1, 2, 3, 0x88, 0x27])
    }

    @Test func `contents without a meaning are refused`() {
        for bits in [0x20, 0x40, 0x80, 0x10] as [UInt8] {
            let bytes = [bits] + [UInt8](repeating: 0, count: 100)
            #expect(wireError { _ = try CallHeader.parse(bytes[...]) }?.code == .reservedBits)
        }
    }

    @Test func `limits are kept on both sides`() {
        let name = String(repeating: "n", count: 1025)
        let actor = Samples.number(1025)
        #expect(
            wireError { _ = try Samples.payload { try CallHeader(target: .name(name), actor: []).append(to: &$0) } }?
                .code
                == .tooMany)
        #expect(
            wireError {
                _ = try Samples.payload { try CallHeader(target: .number(1), actor: actor[...]).append(to: &$0) }
            }?.code == .tooMany)
        // 1,025 as a varint.
        #expect(wireError { _ = try CallHeader.parse(([1, 0x81, 0x08] + Array(name.utf8))[...]) }?.code == .malformed)
        #expect(wireError { _ = try CallHeader.parse(([0, 1, 0x81, 0x08] + actor)[...]) }?.code == .malformed)
        #expect(wireError { _ = try CallHeader.parse([0, 0x80, 0x80, 0x80, 0x80, 0x10, 0]) }?.code == .malformed)
        #expect(wireError { _ = try CallHeader.parse([2, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x10]) }?.code == .malformed)
    }

    @Test func `a trace that W3C calls invalid is refused`() {
        let zeroTrace = [8, 1, 0] + [UInt8](repeating: 0, count: 16) + [0, 0, 0, 0, 0, 0, 0, 1, 1]
        let zeroParent = [8, 1, 0] + [UInt8](repeating: 1, count: 16) + [0, 0, 0, 0, 0, 0, 0, 0, 1]
        let valid = [UInt8](repeating: 1, count: 25)
        for bytes in [zeroTrace, zeroParent, [0x18, 1, 0] + valid + [0], [0x18, 1, 0] + valid + [1, 0x41]] {
            #expect(wireError { _ = try CallHeader.parse(bytes[...]) }?.code == .malformed)
        }
        #expect(wireError { _ = try CallHeader.parse(([8, 1, 0] + valid)[...]) } == nil)
    }

    @Test func `remaining time is rounded up to whole milliseconds and never wraps`() {
        #expect(CallHeader.milliseconds(.zero) == 0)
        #expect(CallHeader.milliseconds(.seconds(-1)) == 0)
        #expect(CallHeader.milliseconds(.nanoseconds(1)) == 1)
        #expect(CallHeader.milliseconds(.milliseconds(1)) == 1)
        #expect(CallHeader.milliseconds(.microseconds(1001)) == 2)
        #expect(CallHeader.milliseconds(.seconds(5)) == 5000)
        #expect(CallHeader.milliseconds(.seconds(4_294_966)) == 4_294_966_000)
        #expect(CallHeader.milliseconds(.seconds(4_294_968)) == .max)
        #expect(CallHeader.milliseconds(.seconds(1 << 50)) == .max)
    }
}

@Suite struct TraceContextTests {
    @Test func `the header of the specification is understood and written back`() throws {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let trace = try #require(TraceContext(traceparent: text))
        #expect(trace.traceID == 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736)
        #expect(trace.parentID == 0x00f0_67aa_0ba9_02b7)
        #expect(trace.isSampled)
        #expect(trace.traceparent == text)
        #expect(trace.continued(as: 1)?.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01")
        #expect(trace.continued(as: 0) == nil)
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bg-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
    ])
    func `a malformed traceparent is no trace`(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test func `a later version is read as far as it is known`() {
        let text = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"
        #expect(TraceContext(traceparent: text)?.traceID == 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736)
    }

    @Test(arguments: [
        "a=b", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=b, c=d ,,e=f", "0tenant@system=x", "a=b c", "a=~!",
        (0..<32).map { "k\($0)=v" }.joined(separator: ","),
    ])
    func `a state that the specification allows is kept`(state: String) {
        #expect(TraceContext(traceID: 1, parentID: 1, flags: 0, state: state)?.state == state)
    }

    @Test(arguments: [
        "a", "=b", "a=", "A=b", "a=b,a=c", "a=b=c", "á=b", "a=ñ", "-a=b", "a=b\u{7F}",
        (0..<33).map { "k\($0)=v" }.joined(separator: ","), "k=" + String(repeating: "v", count: 511),
        String(repeating: "k", count: 257) + "=v",
    ])
    func `a state that it does not is no trace here, and is dropped from a header`(state: String) {
        #expect(TraceContext(traceID: 1, parentID: 1, flags: 0, state: state) == nil)
        let trace = TraceContext(
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: state)
        #expect(trace?.state == "")
    }
}

@Suite struct ReplyOutcomeTests {
    static let outcomes: [ReplyOutcome] = [
        .returned([]), .returned([0, 1, 2]), .threw(message: "no room: 3 of 3"), .threw(message: ""),
        .wrongOwner(viewDigest: .max, owner: "node-b"), .busy(retryAfterMilliseconds: 0),
        .busy(retryAfterMilliseconds: .max), .noSuchActor, .notAllowed, .deadlineExceeded, .cancelled,
        .undecodable(detail: "no field «x»"), .stopping,
    ]

    @Test func `every outcome comes back`() throws {
        for outcome in Self.outcomes {
            #expect(try ReplyOutcome(parsing: Samples.payload { outcome.append(to: &$0) }[...]) == outcome)
        }
    }

    @Test func `an outcome that is cut or longer is refused`() {
        for outcome in Self.outcomes {
            if case .returned = outcome { continue }
            let bytes = Samples.payload { outcome.append(to: &$0) }
            for end in 0..<bytes.count {
                #expect(wireError { _ = try ReplyOutcome(parsing: bytes[..<end]) }?.code == .malformed)
            }
            #expect(wireError { _ = try ReplyOutcome(parsing: (bytes + [0])[...]) }?.code == .malformed)
        }
        #expect(wireError { _ = try ReplyOutcome(parsing: [10]) }?.code == .malformed)
        #expect(wireError { _ = try ReplyOutcome(parsing: [3, 0x80, 0x80, 0x80, 0x80, 0x10]) }?.code == .malformed)
    }

    @Test func `a long message is cut at a whole character`() throws {
        let outcome = ReplyOutcome.threw(message: String(repeating: "ñ", count: 600) + "👩‍🚀")
        let parsed = try ReplyOutcome(parsing: Samples.payload { outcome.append(to: &$0) }[...])
        #expect(parsed == .threw(message: String(repeating: "ñ", count: 512)))
        #expect(
            wireError { _ = try ReplyOutcome(parsing: [1, 0x81, 0x08] + [UInt8](repeating: 97, count: 1025)) } != nil)
    }

    @Test func `what did not run may be sent again`() {
        #expect(Self.outcomes.filter(\.mayHaveRun).count == 6)
        #expect(!ReplyOutcome.busy(retryAfterMilliseconds: 1).mayHaveRun)
        #expect(!ReplyOutcome.stopping.mayHaveRun)
        #expect(ReplyOutcome.deadlineExceeded.mayHaveRun)
    }
}
