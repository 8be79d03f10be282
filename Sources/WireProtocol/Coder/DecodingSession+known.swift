// MARK: - Values of any type

extension DecodingSession {
    /// The value of `head`, inside `depth` containers; an element of packed numbers where `kind` says so.
    ///
    /// Types that `EncodedMessage.appendKnown` writes are read without asking them. An array that was written another
    /// way is not: nil, and it reads itself.
    func decode<Value: Decodable>(
        _ type: Value.Type, _ head: Head, _ kind: PackedKind? = nil, depth: Int
    ) throws -> Value {
        if type == String.self {
            return same(try text(head), type)
        } else if type == Int.self {
            return same(try integer(head, Int.self), type)
        } else if type == [UInt8].self {
            if let array = try array(head, of: UInt8.self) { return same(array, type) }
        } else if type == [String].self {
            if let array = try texts(head) { return same(array, type) }
        } else if type == Bool.self {
            return same(try bool(head), type)
        } else if type == UInt64.self {
            return same(try integer(head, UInt64.self), type)
        } else if type == Double.self {
            return same(try double(head), type)
        } else if type == UInt32.self {
            return same(try integer(head, UInt32.self), type)
        } else if type == UInt8.self {
            return same(try integer(head, UInt8.self), type)
        } else if head.type == .packed, let array = try packedArray(type, head) {
            return array
        }
        nesting += 1
        // Twice, because a value in a value that is no container (a raw value, an optional) counts here.
        guard nesting <= 2 * limits.depthMax else {
            throw WireError(.tooDeep, "more than \(2 * limits.depthMax) values inside each other")
        }
        let value = try Value(from: ValueDecoder(self, head, kind, depth: depth))
        nesting -= 1
        return value
    }

    private func packedArray<Value: Decodable>(_ type: Value.Type, _ head: Head) throws -> Value? {
        if type == [Int].self {
            return try array(head, of: Int.self).map { same($0, type) }
        } else if type == [Double].self {
            return try doubles(head).map { same($0, type) }
        } else if type == [Float].self {
            return try floats(head).map { same($0, type) }
        } else if type == [UInt64].self {
            return try array(head, of: UInt64.self).map { same($0, type) }
        } else if type == [Int64].self {
            return try array(head, of: Int64.self).map { same($0, type) }
        } else if type == [UInt32].self {
            return try array(head, of: UInt32.self).map { same($0, type) }
        } else if type == [Int32].self {
            return try array(head, of: Int32.self).map { same($0, type) }
        } else if type == [UInt16].self {
            return try array(head, of: UInt16.self).map { same($0, type) }
        } else if type == [Int16].self {
            return try array(head, of: Int16.self).map { same($0, type) }
        } else if type == [Int8].self {
            return try array(head, of: Int8.self).map { same($0, type) }
        } else if type == [UInt].self {
            return try array(head, of: UInt.self).map { same($0, type) }
        }
        return nil
    }
}

// MARK: - Arrays

extension DecodingSession {
    private func texts(_ list: Head) throws -> [String]? {
        guard list.type == .list else { return nil }
        var texts: [String] = []
        var position = list.content
        while position < list.end {
            let head = try head(at: position, before: list.end)
            // Whoever wrote nil between them wrote optionals; the long way says what is wrong.
            guard head.type == .text else { return nil }
            try count(1)
            texts.append(try text(head))
            position = head.end
        }
        return texts
    }

    /// The kind and the bytes of numbers that were packed; nil for a list of another kind.
    func packed(_ head: Head) throws -> (kind: PackedKind, content: Int)? {
        if head.type == .bytes { return (.unsigned8, head.content) }
        guard head.type == .packed else { return nil }
        guard head.content < head.end, let kind = PackedKind(rawValue: bytes[head.content]) else {
            throw WireError(.malformed, "packed numbers of an unknown kind")
        }
        guard (head.end - head.content - 1) % kind.width == 0 else {
            throw WireError(.malformed, "\(head.end - head.content - 1) bytes of \(kind) numbers")
        }
        return (kind, head.content + 1)
    }

    private func array<Number: FixedWidthInteger>(_ head: Head, of type: Number.Type) throws -> [Number]? {
        guard let (kind, content) = try packed(head) else { return nil }
        if type == UInt8.self, kind == .unsigned8 {
            return same([UInt8](bytes[content..<head.end]), [Number].self)
        }
        switch kind {
        case .unsigned8: return try numbers(content, head.end, UInt8.self)
        case .unsigned16: return try numbers(content, head.end, UInt16.self)
        case .unsigned32: return try numbers(content, head.end, UInt32.self)
        case .unsigned64: return try numbers(content, head.end, UInt64.self)
        case .signed8: return try numbers(content, head.end, Int8.self)
        case .signed16: return try numbers(content, head.end, Int16.self)
        case .signed32: return try numbers(content, head.end, Int32.self)
        case .signed64: return try numbers(content, head.end, Int64.self)
        case .float, .double: throw WireError(.wrongType, "\(type) was asked for, \(kind) numbers are there")
        }
    }

    private func numbers<Number: FixedWidthInteger, Width: FixedWidthInteger>(
        _ start: Int, _ end: Int, _ width: Width.Type
    ) throws -> [Number] {
        var numbers: [Number] = []
        numbers.reserveCapacity((end - start) / (Width.bitWidth / 8))
        for position in stride(from: start, to: end, by: Width.bitWidth / 8) {
            let number = bigEndian(Width.self, at: position)
            guard let number = Number(exactly: number) else {
                throw WireError(.numberOutOfRange, "\(number) as \(Number.self)")
            }
            numbers.append(number)
        }
        return numbers
    }

    private func doubles(_ head: Head) throws -> [Double]? {
        guard let (kind, content) = try packed(head) else { return nil }
        guard kind == .double || kind == .float else {
            throw WireError(.wrongType, "Double was asked for, \(kind) numbers are there")
        }
        return stride(from: content, to: head.end, by: kind.width).map { float(kind, at: $0) }
    }

    private func floats(_ head: Head) throws -> [Float]? {
        guard let (kind, content) = try packed(head) else { return nil }
        guard kind == .float else { return nil }
        return stride(from: content, to: head.end, by: 4).map {
            Float(bitPattern: bigEndian(UInt32.self, at: $0))
        }
    }

    /// A packed number of a floating kind.
    func float(_ kind: PackedKind, at position: Int) -> Double {
        kind == .float
            ? Double(Float(bitPattern: bigEndian(UInt32.self, at: position)))
            : Double(bitPattern: bigEndian(UInt64.self, at: position))
    }

    /// An element of packed numbers as the value it stands for.
    func head(ofPacked kind: PackedKind, at position: Int) -> Head {
        let end = position + kind.width
        func signed(_ number: Int64) -> Head {
            number >= 0
                ? Head(type: .unsigned, number: UInt64(number), start: position, content: end, end: end)
                : Head(type: .negative, number: UInt64(~number), start: position, content: end, end: end)
        }
        let number: UInt64
        switch kind {
        case .unsigned8: number = UInt64(bytes[position])
        case .unsigned16: number = UInt64(bigEndian(UInt16.self, at: position))
        case .unsigned32: number = UInt64(bigEndian(UInt32.self, at: position))
        case .unsigned64: number = bigEndian(UInt64.self, at: position)
        case .signed8: return signed(Int64(bigEndian(Int8.self, at: position)))
        case .signed16: return signed(Int64(bigEndian(Int16.self, at: position)))
        case .signed32: return signed(Int64(bigEndian(Int32.self, at: position)))
        case .signed64: return signed(bigEndian(Int64.self, at: position))
        // These are laid out as they are alone, behind their first byte.
        case .float, .double:
            let simple = kind == .float ? SimpleValue.float : .double
            return Head(
                type: .simple, number: UInt64(simple.rawValue), start: position, content: position, end: end)
        }
        return Head(type: .unsigned, number: number, start: position, content: end, end: end)
    }
}
