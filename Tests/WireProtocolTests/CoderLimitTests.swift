import Testing
import WireProtocol

/// Types of values as docs/protocol.md numbers them: what is tested against has to come from there.
private enum Type: UInt8, CaseIterable {
    case unsigned, negative, simple, bytes, text, list, record, packed

    func head(_ number: UInt8) -> UInt8 { rawValue << 5 | number }
}

/// Messages that no encoder writes, and values that no decoder would take.
@Suite struct CoderLimitTests {
    private func code<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8], limits: CodingLimits = .standard
    ) -> WireError.Code? {
        wireError { _ = try WireDecoder(limits: limits).decode(type, from: bytes) }?.code
    }

    private struct Chain: Codable { var next: [Chain] }

    /// `levels` lists inside each other.
    private func lists(_ levels: Int) -> [UInt8] {
        var value: [UInt8] = []
        for _ in 0..<levels {
            var (head, rest) = ([Type.list.head(UInt8(min(31, value.count)))], value.count - 31)
            while rest >= 0x80 {
                head.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            value = (value.count < 31 ? head : head + [UInt8(rest)]) + value
        }
        return [0] + value
    }

    @Test func `every message that is cut anywhere is refused`() throws {
        let bytes = try WireEncoder().encode(Everything())
        for end in 0..<bytes.count {
            #expect(code(Everything.self, Array(bytes[..<end])) != nil, "cut at \(end)")
        }
    }

    @Test func `a message with bytes left over is refused`() throws {
        for bytes in [
            try WireEncoder().encode(Everything()), try WireEncoder().encode(7), try WireEncoder().encode("x"),
        ] {
            #expect(code(Everything.self, bytes + [0]) == .trailingBytes)
        }
    }

    @Test func `an empty message is refused`() {
        #expect(code(Int.self, []) == .truncated)
        #expect(code(Int.self, [0]) == .truncated)
    }

    @Test func `what nests too deep is refused when it is read`() {
        struct Nest: Decodable {
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                if !container.isAtEnd { _ = try container.decode(Nest.self) }
            }
        }
        #expect(code(Nest.self, lists(64)) == nil)
        #expect(code(Nest.self, lists(65)) == .tooDeep)
        #expect(code(Nest.self, lists(10_000)) == .tooDeep)
        var limits = CodingLimits()
        limits.depthMax = 3
        #expect(code(Nest.self, lists(3), limits: limits) == nil)
        #expect(code(Nest.self, lists(4), limits: limits) == .tooDeep)
        // What nobody asks for is stepped over, however deep it is.
        #expect(code(Nothing.self, lists(10_000)) == nil)
    }

    private struct Nothing: Decodable { init(from decoder: any Decoder) throws {} }

    @Test func `what nests too deep is refused when it is written`() throws {
        func chain(_ depth: Int) -> Chain { Chain(next: depth == 0 ? [] : [chain(depth - 1)]) }
        let deepest = try WireEncoder().encode(chain(31))
        #expect(code(Chain.self, deepest) == nil)
        #expect(wireError { _ = try WireEncoder().encode(chain(32)) }?.code == .tooDeep)
        #expect(wireError { _ = try WireEncoder().encode(chain(1000)) }?.code == .tooDeep)
    }

    @Test func `a type that stands for itself is refused`() {
        struct Mirror: Codable {
            init() {}
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(self)
            }
            init(from decoder: any Decoder) throws { self = try decoder.singleValueContainer().decode(Mirror.self) }
        }
        #expect(wireError { _ = try WireEncoder().encode(Mirror()) }?.code == .tooDeep)
        #expect(code(Mirror.self, [0, 1]) == .tooDeep)
    }

    @Test func `more elements than allowed are refused, read or written`() throws {
        struct Empty: Codable {}
        var limits = CodingLimits()
        limits.elementsMax = 10
        let many = [Empty](repeating: Empty(), count: 11)
        #expect(wireError { _ = try WireEncoder(limits: limits).encode(many) }?.code == .tooMany)
        #expect(wireError { _ = try WireEncoder(limits: limits).encode(Array(many.dropFirst())) } == nil)
        let bytes = try WireEncoder().encode(many)
        #expect(code([Empty].self, bytes, limits: limits) == .tooMany)
        #expect(
            code([String].self, try WireEncoder().encode([String](repeating: "", count: 11)), limits: limits)
                == .tooMany)
        // Over all containers of a message together.
        #expect(
            code([[Bool]].self, try WireEncoder().encode([[Bool]](repeating: [true], count: 6)), limits: limits)
                == .tooMany)
        #expect(
            code(
                [String: Bool].self,
                try WireEncoder().encode(["a": true, "b": true, "c": true, "d": true, "e": true, "f": true]),
                limits: limits)
                == .tooMany)
        // Numbers of fixed width are what they are on the wire.
        #expect(code([Int].self, try WireEncoder().encode([Int](repeating: 1, count: 1000)), limits: limits) == nil)
    }

    @Test func `a text over the limit is refused`() throws {
        var limits = CodingLimits()
        limits.stringBytesMax = 5
        #expect(code(String.self, try WireEncoder().encode("12345"), limits: limits) == nil)
        #expect(code(String.self, try WireEncoder().encode("123456"), limits: limits) == .tooMany)
        #expect(code([String].self, try WireEncoder().encode(["123456"]), limits: limits) == .tooMany)
    }

    @Test func `more names than allowed are refused before room is made for them`() throws {
        var limits = CodingLimits()
        limits.namesMax = 2
        #expect(wireError { _ = try WireEncoder(limits: limits).encode(["a": 1, "b": 2, "c": 3]) }?.code == .tooMany)
        let bytes = try WireEncoder().encode(["a": 1, "b": 2, "c": 3])
        #expect(code([String: Int].self, bytes, limits: limits) == .tooMany)
        // A value of one byte, then four billion names.
        #expect(code(Int.self, [1, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]) == .tooMany)
        #expect(code(Int.self, [1, 1, 5, 0, 0, 0, 0]) == .tooMany)
    }

    @Test func `text that is not UTF-8 is refused`() {
        for bytes in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]] {
            #expect(code(String.self, [0, Type.text.head(UInt8(bytes.count))] + bytes) == .invalidText)
        }
    }

    @Test func `lengths that reach over the end are refused`() {
        for type in [Type.bytes, .text, .list, .record, .packed] {
            #expect(code(Nothing.self, [0, type.head(1)]) == .truncated)
            #expect(code(Nothing.self, [0, type.head(31), 0]) == .truncated)
            #expect(code(Nothing.self, [0, type.head(31)] + [UInt8](repeating: 0xFF, count: 9) + [1]) != nil)
        }
        // A value that reaches over the end of the list it is in.
        #expect(code([String].self, [0, Type.list.head(2), Type.text.head(2), 97, 98]) != nil)
        #expect(code([[UInt8]].self, [0, Type.list.head(1), Type.bytes.head(1), 7]) != nil)
    }

    @Test func `numbers that are written longer than they have to be are refused`() {
        #expect(code(Int.self, [0, 31, 0x80, 0x00]) == .malformed)
        #expect(code(UInt64.self, [0, 31] + [UInt8](repeating: 0xFF, count: 9) + [1]) == .malformed)
        #expect(code(UInt64.self, [0, 31] + [UInt8](repeating: 0xFF, count: 10)) == .malformed)
        let small = [0, Type.simple.head(5)] + [UInt8](repeating: 0, count: 15) + [7]
        #expect(code(UInt128.self, small) == .malformed)
        #expect(code(Int.self, small) == .malformed)
    }

    @Test func `values without a meaning are refused, also where nobody asks for them`() {
        for simple in UInt8(7)...30 {
            #expect(code(Nothing.self, [0, Type.simple.head(simple)]) == .malformed)
        }
        #expect(code([Int].self, [0, Type.packed.head(0)]) == .malformed)
        #expect(code([Int].self, [0, Type.packed.head(2), 0, 1]) == .malformed)
        #expect(code([Int].self, [0, Type.packed.head(2), 11, 1]) == .malformed)
        #expect(code([Int].self, [0, Type.packed.head(4), 2, 1, 2, 3]) == .malformed)
        #expect(
            code(Set<Int>.self, [0, Type.packed.head(4), 2, 1, 2, 3]) == .malformed)
    }

    @Test func `a name that there is not is refused`() {
        struct One: Codable { var a: Int }
        #expect(code(One.self, [3, Type.record.head(2), 0, 5, 1, 1, 97]) == nil)
        #expect(code(One.self, [3, Type.record.head(2), 1, 5, 1, 1, 97]) == .malformed)
        #expect(code(One.self, [0, Type.record.head(2), 0, 5]) == .malformed)
        // A name without a value.
        #expect(code(One.self, [2, Type.record.head(1), 0, 1, 1, 97]) == .truncated)
        // Names that do not fill the rest.
        #expect(code(One.self, [3, Type.record.head(2), 0, 5, 1, 1, 97, 0]) == .trailingBytes)
        #expect(code(One.self, [3, Type.record.head(2), 0, 5, 1, 2, 97]) == .truncated)
    }

    @Test func `containers that are written in turns are refused`() {
        struct Mixed: Encodable {
            enum Keys: String, CodingKey { case a, b }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Keys.self)
                var one = container.nestedUnkeyedContainer(forKey: .a)
                var other = container.nestedUnkeyedContainer(forKey: .b)
                try one.encode(1)
                try other.encode(2)
            }
        }
        struct Twice: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(1)
                try container.encode(2)
            }
        }
        struct Changing: Encodable {
            func encode(to encoder: any Encoder) throws {
                _ = encoder.unkeyedContainer()
                _ = encoder.container(keyedBy: Mixed.Keys.self)
            }
        }
        struct Late: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Mixed.Keys.self)
                let later = container.superEncoder(forKey: .a)
                try container.encode(2, forKey: .b)
                try 1.encode(to: later)
            }
        }
        #expect(wireError { _ = try WireEncoder().encode(Mixed()) }?.code == .interleavedContainers)
        #expect(wireError { _ = try WireEncoder().encode([Twice()]) }?.code == .interleavedContainers)
        #expect(wireError { _ = try WireEncoder().encode(Changing()) }?.code == .interleavedContainers)
        #expect(wireError { _ = try WireEncoder().encode(Late()) }?.code == .interleavedContainers)
    }

    @Test func `a promised place that nobody uses is an empty record`() throws {
        struct Promises: Encodable {
            enum Keys: String, CodingKey { case a, b }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Keys.self)
                _ = container.superEncoder(forKey: .a)
                try container.encode(2, forKey: .b)
                _ = container.superEncoder()
            }
        }
        struct Reads: Decodable {
            struct Empty: Codable {}
            var a: Empty
            var b: Int
            var `super`: Empty
        }
        #expect(try WireDecoder().decode(Reads.self, from: WireEncoder().encode(Promises())).b == 2)
    }

    @Test func `an error of a type is passed on with where it was`() {
        struct Picky: Codable {
            struct No: Error, CustomStringConvertible { var description: String { "not today" } }
            init() {}
            func encode(to encoder: any Encoder) throws { throw No() }
            init(from decoder: any Decoder) throws { throw No() }
        }
        #expect(
            wireError { _ = try WireEncoder().encode(["k": [Picky()]]) }
                == WireError(.refusedByType, "not today (at k.0)"))
        #expect(
            wireError { _ = try WireDecoder().decode([String: [Picky]].self, from: WireEncoder().encode(["k": ["x"]])) }
                == WireError(.refusedByType, "not today (at k.0)"))
    }
}
