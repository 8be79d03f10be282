/// Cuts a `multipart/form-data` body (RFC 7578, framed as RFC 2046 section 5.1) into its parts as the bytes arrive.
///
/// Bytes in, events out. Memory is bounded by what one call hands over plus one delimiter or one block of part headers,
/// however large the parts are. A delimiter may be split anywhere: the longest tail that could still become one is
/// carried over to the next call.
package struct MultipartParser: Sendable {
    package struct Limits: Sendable, Hashable {
        /// Header block of one part. Browsers send about 200 bytes plus the file name.
        package var headerBytesMax: Int
        package var partsMax: Int
        /// Text before the first delimiter, which nobody sends today.
        package var preambleBytesMax: Int

        package init(headerBytesMax: Int = 8 * 1024, partsMax: Int = 8, preambleBytesMax: Int = 8 * 1024) {
            precondition(headerBytesMax > 0 && partsMax > 0 && preambleBytesMax >= 0, "limits must be positive")
            self.headerBytesMax = headerBytesMax
            self.partsMax = partsMax
            self.preambleBytesMax = preambleBytesMax
        }
    }

    package enum Event: Sendable, Hashable {
        case partBegan(MultipartPart)
        /// A piece of the part's content, in order; never empty.
        case content(ArraySlice<UInt8>)
        case partEnded
    }

    /// RFC 2046 gives a boundary 1 to 70 characters.
    package static let boundaryCharactersMax = 70
    /// White space that a transport may have put behind a delimiter.
    private static let paddingBytesMax = 128

    /// `preamble` -> `headers` (first delimiter), `epilogue` (closing delimiter at once)
    /// `headers` -> `content` (empty line)
    /// `content` -> `headers` (delimiter), `epilogue` (closing delimiter)
    /// `epilogue` -> nothing: the rest is thrown away, as RFC 2046 asks
    private enum State: Sendable { case preamble, headers, content, epilogue }

    private let delimiter: [UInt8]
    private let limits: Limits
    private var state = State.preamble
    /// Bytes that could not be decided yet.
    private var carry: [UInt8]
    private var parts = 0
    private var preambleBytes = 0

    package init(boundary: String, limits: Limits = Limits()) {
        precondition(!boundary.isEmpty, "a multipart boundary cannot be empty")
        delimiter = Array("\r\n--\(boundary)".utf8)
        self.limits = limits
        // The line break belongs to the delimiter; a first delimiter at the very start of the body has none.
        carry = [carriageReturn, lineFeed]
    }

    /// Takes the next bytes of the body, however they were cut.
    package mutating func feed(_ bytes: some Collection<UInt8>) throws(MultipartError) -> [Event] {
        guard state != .epilogue else { return [] }
        var buffer = carry
        buffer.append(contentsOf: bytes)
        carry = []
        var events: [Event] = []
        var position = 0
        while let next = try step(buffer, from: position, into: &events) { position = next }
        return events
    }

    /// The body has ended. Throws when the closing delimiter is missing: the client went away or cut its own body.
    package func finish() throws(MultipartError) {
        guard state == .epilogue else { throw .truncated }
    }

    /// One move of the machine. Returns where to go on, or nil when more bytes are needed.
    private mutating func step(
        _ buffer: [UInt8], from position: Int, into events: inout [Event]
    ) throws(MultipartError) -> Int? {
        switch state {
        case .preamble, .content: try scan(buffer, from: position, into: &events)
        case .headers: try readHeaders(buffer, from: position, into: &events)
        case .epilogue: nil
        }
    }

    private enum Sighting {
        /// Bytes up to `at` are content; what follows may become a delimiter.
        case undecided(at: Int)
        case delimiter(at: Int, next: Int, closing: Bool)
        case none
    }

    private mutating func scan(
        _ buffer: [UInt8], from position: Int, into events: inout [Event]
    ) throws(MultipartError) -> Int? {
        switch find(buffer, from: position) {
        case .none:
            try pass(buffer[position...], into: &events)
            return nil
        case .undecided(let at):
            try pass(buffer[position..<at], into: &events)
            carry = Array(buffer[at...])
            return nil
        case .delimiter(let at, let next, let closing):
            try pass(buffer[position..<at], into: &events)
            if state == .content { events.append(.partEnded) }
            if closing {
                state = .epilogue
                return nil
            }
            parts += 1
            guard parts <= limits.partsMax else { throw .tooManyParts(limit: limits.partsMax) }
            state = .headers
            return next
        }
    }

    private mutating func pass(_ bytes: ArraySlice<UInt8>, into events: inout [Event]) throws(MultipartError) {
        guard !bytes.isEmpty else { return }
        if state == .content {
            events.append(.content(bytes))
            return
        }
        preambleBytes += bytes.count
        guard preambleBytes <= limits.preambleBytesMax else {
            throw .preambleTooLong(limitBytes: limits.preambleBytesMax)
        }
    }

    private func find(_ buffer: [UInt8], from start: Int) -> Sighting {
        var from = start
        while let at = buffer[from...].firstIndex(of: carriageReturn) {
            let available = min(delimiter.count, buffer.count - at)
            if buffer[at..<(at + available)].elementsEqual(delimiter[..<available]) {
                guard available == delimiter.count else { return .undecided(at: at) }
                switch lineEnd(buffer, from: at + available) {
                case .open(let next): return .delimiter(at: at, next: next, closing: false)
                case .closing: return .delimiter(at: at, next: buffer.count, closing: true)
                case .undecided: return .undecided(at: at)
                case .notDelimiter: break
                }
            }
            from = at + 1
        }
        return .none
    }

    private enum LineEnd { case open(next: Int), closing, undecided, notDelimiter }

    /// What stands behind `--boundary`. Text that goes on in any other way is content which merely looks alike.
    private func lineEnd(_ buffer: [UInt8], from start: Int) -> LineEnd {
        guard start < buffer.count else { return .undecided }
        if buffer[start] == dash {
            guard start + 1 < buffer.count else { return .undecided }
            return buffer[start + 1] == dash ? .closing : .notDelimiter
        }
        var position = start
        while position < buffer.count, buffer[position] == space || buffer[position] == tab {
            position += 1
            guard position - start <= Self.paddingBytesMax else { return .notDelimiter }
        }
        guard position < buffer.count else { return .undecided }
        guard buffer[position] == carriageReturn else { return .notDelimiter }
        guard position + 1 < buffer.count else { return .undecided }
        return buffer[position + 1] == lineFeed ? .open(next: position + 2) : .notDelimiter
    }

    private mutating func readHeaders(
        _ buffer: [UInt8], from position: Int, into events: inout [Event]
    ) throws(MultipartError) -> Int? {
        // `position` stands right behind a line break, so an empty block is one line break and any other ends in two.
        let block: Range<Int>
        let next: Int
        if buffer[position...].starts(with: [carriageReturn, lineFeed]) {
            (block, next) = (position..<position, position + 2)
        } else if let end = emptyLine(buffer, from: position) {
            (block, next) = (position..<end, end + 4)
        } else {
            guard buffer.count - position <= limits.headerBytesMax else {
                throw .headersTooLong(limitBytes: limits.headerBytesMax)
            }
            carry = Array(buffer[position...])
            return nil
        }
        guard block.count <= limits.headerBytesMax else { throw .headersTooLong(limitBytes: limits.headerBytesMax) }
        events.append(.partBegan(try MultipartPart(headerBlock: buffer[block])))
        state = .content
        return next
    }

    private func emptyLine(_ buffer: [UInt8], from start: Int) -> Int? {
        var from = start
        while let at = buffer[from...].firstIndex(of: carriageReturn) {
            if buffer[at...].starts(with: [carriageReturn, lineFeed, carriageReturn, lineFeed]) { return at }
            from = at + 1
        }
        return nil
    }
}

/// Why a multipart body cannot be read.
package enum MultipartError: Error, Sendable, Hashable {
    case tooManyParts(limit: Int)
    case headersTooLong(limitBytes: Int)
    case preambleTooLong(limitBytes: Int)
    case malformedHeader
    /// A part without `Content-Disposition: form-data; name="..."`.
    case unnamedPart
    /// The body ended before its closing delimiter.
    case truncated
}

private let carriageReturn = UInt8(ascii: "\r")
private let lineFeed = UInt8(ascii: "\n")
private let dash = UInt8(ascii: "-")
private let space = UInt8(ascii: " ")
private let tab = UInt8(ascii: "\t")
