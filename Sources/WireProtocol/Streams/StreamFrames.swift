/// Why a direction of a stream was broken off.
package struct StreamReset: Error, Hashable, Sendable, CustomStringConvertible {
    /// Numbers below 16 are the protocol's, all others belong to whoever uses the stream.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The other end is gone, or is no longer interested.
        package static let cancelled = Code(rawValue: 0)
        /// More streams are open than the peer takes; later it may.
        package static let refused = Code(rawValue: 1)
        /// The peer does not know the purpose, or does not allow it.
        package static let notAllowed = Code(rawValue: 2)
        /// The other end failed; the text says how.
        package static let failed = Code(rawValue: 3)
        /// The connection ended. Never sent.
        package static let connectionLost = Code(rawValue: 4)
    }

    /// Bytes of `text`; 256.
    package static let textBytesMax = 256

    package let code: Code
    /// For people, in visible ASCII.
    package let text: String

    package init(_ code: Code, _ text: String = "") {
        self.code = code
        self.text = text.visibleASCII(bytesMax: Self.textBytesMax)
    }

    package var description: String { text.isEmpty ? "stream reset \(code.rawValue)" : text }
}

/// The payload of `streamOpen`.
package enum StreamPurpose {
    package static func append(_ purpose: ArraySlice<UInt8>, to bytes: inout [UInt8]) { bytes.append(counted: purpose) }

    package static func parse(_ payload: ArraySlice<UInt8>, bytesMax: Int) throws(WireError) -> ArraySlice<UInt8> {
        var reader = ByteReader(payload)
        let purpose = try reader.counted(bytesMax: bytesMax, "the purpose of a stream")
        try reader.expectEnd("the purpose of a stream")
        return purpose
    }
}

/// The payload of `streamCredit`: four bytes, how many more may be sent.
package enum StreamCreditGrant {
    package static func append(_ bytes: Int, to payload: inout [UInt8]) { payload.append(bigEndian: UInt32(bytes)) }

    package static func parse(_ payload: ArraySlice<UInt8>) throws(WireError) -> Int {
        var reader = ByteReader(payload)
        let bytes = try reader.bigEndian(UInt32.self, "credit")
        try reader.expectEnd("credit")
        return Int(bytes)
    }
}

/// The payload of `streamClose`.
package struct StreamClose: Hashable, Sendable {
    package struct Directions: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// What I was sending is broken off; what you have not read of it is void.
        package static let sending = Directions(rawValue: 1)
        /// I read no more; stop sending.
        package static let reading = Directions(rawValue: 2)
    }

    package let directions: Directions
    package let reset: StreamReset

    package func append(to bytes: inout [UInt8]) {
        bytes.append(directions.rawValue)
        bytes.append(bigEndian: reset.code.rawValue)
        bytes.append(counted: reset.text)
    }

    package init(_ directions: Directions, _ reset: StreamReset) {
        self.directions = directions
        self.reset = reset
    }

    package init(parsing payload: ArraySlice<UInt8>) throws(WireError) {
        var reader = ByteReader(payload)
        directions = Directions(rawValue: try reader.byte("a stream's close"))
        guard (1...3).contains(directions.rawValue) else {
            throw WireError(.reservedBits, "directions \(directions.rawValue) of a stream's close")
        }
        let code = StreamReset.Code(rawValue: try reader.bigEndian(UInt32.self, "a stream's close"))
        let text = try reader.countedText(bytesMax: StreamReset.textBytesMax, "a stream's close")
        reset = StreamReset(code, text)
        try reader.expectEnd("a stream's close")
    }
}
