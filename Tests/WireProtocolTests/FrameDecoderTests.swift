import Testing
import WireProtocol

@Suite struct FrameDecoderTests {
    private let frames = [
        Frame(.ping, payload: [0, 0, 0, 0, 0, 0, 0, 7]),
        Frame(.call, streamID: 65_537, payload: Samples.number(100)[...]),
        Frame(.streamData, flags: .end, streamID: 3, payload: [9]),
        Frame(.streamData, flags: [.end, .mustUnderstand], streamID: 0xFFFF_FFFF),
        Frame(.goAway, payload: [0, 1, 0, 0]),
    ]

    private func decoder(_ frameBytesMax: Int = 1 << 20) -> FrameDecoder {
        FrameDecoder(frameBytesMax: frameBytesMax, version: 1)
    }

    @Test func `frames come out as they went in, however they are cut in two`() throws {
        let stream = try Samples.bytes(of: frames)
        for cut in 0...stream.count {
            var decoder = decoder()
            let found = try decoder.take(Array(stream[..<cut])) + decoder.take(Array(stream[cut...]))
            #expect(found == frames, "cut at \(cut)")
            #expect(decoder.heldBytes == 0)
        }
    }

    @Test func `frames come out as they went in, however they are cut in three`() throws {
        let stream = try Samples.bytes(of: Array(frames.dropFirst(2)))
        for first in 0...stream.count {
            for second in first...stream.count {
                var decoder = decoder()
                let found =
                    try decoder.take(Array(stream[..<first])) + decoder.take(Array(stream[first..<second]))
                    + decoder.take(Array(stream[second...]))
                #expect(found == Array(frames.dropFirst(2)), "cut at \(first) and \(second)")
            }
        }
    }

    @Test(arguments: [1, 2, 3, 5, 7, 11, 12, 13, 64])
    func `frames come out as they went in, in pieces of one size`(pieceBytes: Int) throws {
        let stream = try Samples.bytes(of: frames + frames + frames)
        var decoder = decoder()
        var found: [Frame] = []
        for start in stride(from: 0, to: stream.count, by: pieceBytes) {
            found += try decoder.take(Array(stream[start..<min(stream.count, start + pieceBytes)]))
        }
        #expect(found == frames + frames + frames)
    }

    @Test func `a frame that lies whole in what arrived is a slice of it`() throws {
        let stream = try Samples.bytes(of: frames)
        var decoder = decoder()
        decoder.feed(stream)
        _ = try decoder.next()
        let call = try #require(try decoder.next())
        #expect(call.retainedBytes == stream.count)
        #expect(call.payload.startIndex == 20 + 12)
    }

    @Test func `a length over the limit is refused with its first four bytes`() throws {
        var decoder = decoder(1000)
        #expect(throws: WireError(.frameTooLarge, "a length of 1001, at most 1000 are taken")) {
            try decoder.take([0, 0, 0x03, 0xE9])
        }
        #expect(decoder.heldBytes == 0)
        var cut = self.decoder(1000)
        #expect(try cut.take([0xFF]).isEmpty)
        #expect(throws: WireError.self) { try cut.take([0xFF, 0xFF, 0xFF]) }
    }

    @Test func `a length at the limit is taken`() throws {
        let frame = Frame(.call, streamID: 1, payload: Samples.number(992)[...])
        var decoder = decoder(1000)
        #expect(try decoder.take(Samples.bytes(of: [frame])) == [frame])
    }

    @Test func `what is announced is not allocated, only what arrives is held`() throws {
        var decoder = decoder(1 << 30)
        #expect(try decoder.take([0x3F, 0xFF, 0xFF, 0xFF, 1, 16, 0, 0]).isEmpty)
        #expect(decoder.heldBytes == 8)
    }

    @Test(arguments: 0...7)
    func `a length below that of the header is refused`(length: UInt8) {
        var decoder = decoder()
        #expect(wireError { _ = try decoder.take([0, 0, 0, length]) }?.code == .frameTooShort)
    }

    @Test func `after an error every call throws it again`() {
        var decoder = decoder()
        let error = wireError { _ = try decoder.take([0, 0, 0, 0]) }
        #expect(error?.code == .frameTooShort)
        decoder.feed([0, 0, 0, 8, 1, 4, 0, 0, 0, 0, 0, 0])
        #expect(wireError { _ = try decoder.next() } == error)
    }

    @Test func `an unknown kind is skipped and counted`() throws {
        var decoder = decoder()
        let unknown: [UInt8] = [0, 0, 0, 10, 1, 200, 0x7F, 0xFF, 1, 2, 3, 4, 5, 6]
        #expect(try decoder.take(unknown + Samples.bytes(of: frames) + unknown) == frames)
        #expect(decoder.skippedFrames == 2)
    }

    @Test func `an unknown kind that must be understood ends the connection`() {
        var decoder = decoder()
        #expect(
            wireError { _ = try decoder.take([0, 0, 0, 8, 1, 200, 0x80, 0, 0, 0, 0, 0]) }
                == WireError(.unknownKind, "a frame of kind 200, which must be understood"))
    }

    @Test func `a bit without a meaning ends the connection`() {
        for bit in 0..<15 {
            for kind in FrameKind.allCases {
                let flags = UInt16(1) << UInt16(bit)
                if kind == .streamData, flags == FrameFlags.end.rawValue { continue }
                var decoder = decoder()
                let number: UInt8 = kind.hasStreamID ? 1 : 0
                let version: UInt8 = kind.isFrozen ? 0 : 1
                let bytes: [UInt8] = [
                    0, 0, 0, 8, version, kind.rawValue, UInt8(flags >> 8), UInt8(flags & 0xFF), 0, 0, 0, number,
                ]
                #expect(wireError { _ = try decoder.take(bytes) }?.code == .reservedBits, "\(kind) \(flags)")
            }
        }
    }

    @Test func `kinds about a call or stream have a number, the others have none`() {
        for kind in FrameKind.allCases {
            var decoder = decoder()
            let wrong: UInt8 = kind.hasStreamID ? 0 : 1
            let bytes: [UInt8] = [0, 0, 0, 8, kind.isFrozen ? 0 : 1, kind.rawValue, 0, 0, 0, 0, 0, wrong]
            #expect(wireError { _ = try decoder.take(bytes) }?.code == .reservedBits, "\(kind)")
        }
    }

    @Test func `before the handshake nothing but hello and goaway is let through`() {
        for kind in FrameKind.allCases {
            var decoder = FrameDecoder(frameBytesMax: 1000)
            let bytes: [UInt8] = [0, 0, 0, 8, 0, kind.rawValue, 0, 0, 0, 0, 0, kind.hasStreamID ? 1 : 0]
            let error = wireError { _ = try decoder.take(bytes) }
            #expect(error?.code == (kind.isFrozen ? nil : .unexpectedFrame), "\(kind)")
        }
        var decoder = FrameDecoder(frameBytesMax: 1000)
        #expect(
            wireError { _ = try decoder.take([0, 0, 0, 8, 0, 200, 0, 0, 0, 0, 0, 0]) }?.code == .unexpectedFrame)
    }

    @Test func `a frame of another version ends the connection`() {
        for kind in FrameKind.allCases {
            var decoder = decoder()
            let bytes: [UInt8] = [0, 0, 0, 8, 2, kind.rawValue, 0, 0, 0, 0, 0, kind.hasStreamID ? 1 : 0]
            #expect(wireError { _ = try decoder.take(bytes) }?.code == .wrongVersion, "\(kind)")
        }
    }

    @Test(arguments: Lane.allCases)
    func `a kind that does not belong on the lane ends the connection`(lane: Lane) throws {
        let belong: [Lane: Set<FrameKind>] = [
            .control: [.goAway, .ping, .ack, .gossip], .call: [.goAway, .ping, .ack, .call, .reply, .cancel],
            .bulk: [.goAway, .ping, .ack, .streamOpen, .streamData, .streamCredit, .streamClose],
        ]
        for kind in FrameKind.allCases {
            var decoder = decoder()
            decoder.lane = lane
            let bytes = try Samples.bytes(of: [Frame(kind, streamID: kind.hasStreamID ? 1 : 0)])
            let error = wireError { _ = try decoder.take(bytes) }
            #expect(error?.code == (belong[lane]!.contains(kind) ? nil : .unexpectedFrame), "\(kind)")
        }
    }
}

@Suite struct FrameWriterTests {
    @Test func `a payload is written in place`() throws {
        let writer = FrameWriter(version: 3, frameBytesMax: 100)
        var bytes: [UInt8] = [0xEE]
        try writer.append(.call, streamID: 0x01020304, to: &bytes) { $0 += [7, 8, 9] }
        #expect(bytes == [0xEE, 0, 0, 0, 11, 3, 16, 0, 0, 1, 2, 3, 4, 7, 8, 9])
    }

    @Test func `frozen kinds are of version 0 whatever was agreed`() throws {
        let writer = FrameWriter(version: 3, frameBytesMax: 100)
        for kind in FrameKind.allCases {
            let bytes = try Samples.payload { try writer.append(Frame(kind, streamID: 1), to: &$0) }
            #expect(bytes[4] == (kind.isFrozen ? 0 : 3))
        }
    }

    @Test func `a payload over the limit leaves nothing behind`() throws {
        let writer = FrameWriter(version: 1, frameBytesMax: 108)
        #expect(writer.payloadBytesMax == 100)
        var bytes: [UInt8] = [1, 2]
        let large = Frame(.call, streamID: 1, payload: Samples.number(101)[...])
        #expect(wireError { try writer.append(large, to: &bytes) }?.code == .frameTooLarge)
        #expect(
            wireError { try writer.append(.call, streamID: 1, to: &bytes) { $0 += Samples.number(101) } }?.code
                == .frameTooLarge)
        #expect(bytes == [1, 2])
        try writer.append(Frame(.call, streamID: 1, payload: Samples.number(100)[...]), to: &bytes)
        #expect(bytes.count == 2 + 112)
    }

    @Test func `an error while the payload is written leaves nothing behind`() {
        var bytes: [UInt8] = [1, 2]
        #expect(throws: WireError(.tooDeep, "")) {
            try Samples.writer.append(.call, streamID: 1, to: &bytes) {
                $0 += [1, 2, 3]
                throw WireError(.tooDeep, "")
            }
        }
        #expect(bytes == [1, 2])
    }
}

/// Varints stand in many payloads; here before the text of a reply and as a time to retry.
@Suite struct VarintTests {
    private func length(_ bytes: [UInt8]) -> WireError? {
        wireError { _ = try ReplyOutcome(parsing: ([1] + bytes)[...]) }
    }

    @Test func `varints come back at every width`() throws {
        for shift in 0..<32 {
            for number in [UInt32(1) << shift, (UInt32(1) << shift) - 1, UInt32.max >> shift] {
                let outcome = ReplyOutcome.busy(retryAfterMilliseconds: number)
                #expect(try ReplyOutcome(parsing: Samples.payload { outcome.append(to: &$0) }[...]) == outcome)
            }
        }
    }

    @Test func `a varint that is longer than it has to be is refused`() {
        #expect(length([0x00]) == nil)
        #expect(length([0x80, 0x00])?.detail == "an error's message is written longer than it has to be")
        #expect(length([0x81, 0x80, 0x00])?.detail == "an error's message is written longer than it has to be")
    }

    @Test func `a varint over 64 bits is refused`() {
        let nine = [UInt8](repeating: 0xFF, count: 9)
        #expect(length(nine + [0x02])?.detail == "an error's message does not fit into 64 bits")
        #expect(length(nine + [0x81, 0x00])?.detail == "an error's message does not fit into 64 bits")
        #expect(length(nine + [0x01])?.detail == "an error's message has 18446744073709551615 bytes, more than 1024")
    }
}
