import Testing
import WireProtocol

/// Five fields of everyday kinds.
struct Order: Codable, Hashable {
    var id: UInt64
    var name: String
    var count: Int
    var isUrgent: Bool
    var payload: [UInt8]
}

indirect enum Tree: Codable, Hashable {
    case leaf
    case value(Int)
    case node(left: Tree, right: Tree)
}

enum Color: String, Codable { case red, green }

struct Everything: Codable, Hashable {
    var bool = true
    var text = "¿Qué?"
    var float: Float = 1.5
    var double = -2.25
    var small: (Int8, UInt8) { (narrow, byte) }
    var narrow: Int8 = -128
    var byte: UInt8 = 255
    var short: Int16 = -32_768
    var wide: UInt16 = 65_535
    var int32 = Int32.min
    var uint32 = UInt32.max
    var int64 = Int64.min
    var uint64 = UInt64.max
    var int = Int.max
    var uint = UInt.max
    var int128 = Int128.min
    var uint128 = UInt128.max
    var absent: String?
    var present: Int? = 0
    var bytes: [UInt8] = [1, 2, 3]
    var texts = ["a", "", "ñ"]
    var ints = [-1, 0, 70_000]
    var doubles = [0.5, -1]
    var floats: [Float] = [0.25]
    var flags = [true, false]
    var color = Color.green
    var colors = [Color.red, .green]
    var tree = Tree.node(left: .leaf, right: .node(left: .value(-7), right: .leaf))
    var map = ["one": 1]
    var numbered = [7: "seven"]
    var set: Set<Int> = [42]
    var nested: [Order] = [
        Order(id: 1, name: "x", count: 2, isUrgent: false, payload: []),
        Order(id: 2, name: "y", count: -3, isUrgent: true, payload: [9]),
    ]
    var optionals: [Int?] = [1, nil, 3]
    var empty: [Order] = []
    var duration = Duration.milliseconds(1500)
    var pair: ClosedRange<Int> = 3...9
}

@Suite struct CoderTests {
    private func roundTrip<Value: Codable & Equatable>(_ value: Value) throws {
        let bytes = try WireEncoder().encode(value)
        #expect(try WireDecoder().decode(Value.self, from: bytes) == value)
    }

    @Test func `every kind of value comes back`() throws {
        try roundTrip(Everything())
        try roundTrip([Everything(), Everything()])
        try roundTrip(["k": Everything()])
    }

    @Test func `integers of every width come back at their edges`() throws {
        func check<Number: FixedWidthInteger & Codable>(_ type: Number.Type) throws {
            for shift in 0..<Number.bitWidth {
                for number in [Number(1) << Number(shift), (Number(1) << Number(shift)) &- 1, Number.max, .min, 0] {
                    try roundTrip(number)
                    try roundTrip(~number)
                    try roundTrip([number, 0])
                }
            }
        }
        try check(Int8.self)
        try check(UInt8.self)
        try check(Int16.self)
        try check(UInt16.self)
        try check(Int32.self)
        try check(UInt32.self)
        try check(Int64.self)
        try check(UInt64.self)
        try check(Int.self)
        try check(UInt.self)
        try check(Int128.self)
        try check(UInt128.self)
    }

    @Test func `arrays of numbers come back at every width`() throws {
        for edge in [0, 1, 127, 128, 255, 256, 32_767, 65_535, 65_536, Int(Int32.max), Int(UInt32.max), Int.max] {
            try roundTrip([Int](repeating: edge, count: 100))
            try roundTrip([edge, -1])
            try roundTrip([~edge, 5, edge])
        }
        try roundTrip([UInt64.max, 0])
        try roundTrip([Int8.min, .max])
        try roundTrip((0..<5000).map { Int32($0 - 2500) })
        try roundTrip([Double.infinity, -0.0, .leastNonzeroMagnitude, .pi])
        try roundTrip([Float.infinity, .pi])
        try roundTrip([Int]())
        try roundTrip([Double]())
        try roundTrip([[Int]]([[1], [], [2, 3]]))
    }

    @Test func `random values come back`() throws {
        var random = SeededGenerator(seed: 3)
        func tree(_ depth: Int) -> Tree {
            if depth == 0 { return .leaf }
            return switch Int.random(in: 0..<3, using: &random) {
            case 0: .leaf
            case 1: .value(Int.random(in: .min ... .max, using: &random))
            default: .node(left: tree(depth - 1), right: tree(depth - 1))
            }
        }
        for _ in 0..<2000 {
            try roundTrip(tree(8))
            let count = Int.random(in: 0...300, using: &random)
            try roundTrip(
                Order(
                    id: random.next() >> UInt64.random(in: 0..<64, using: &random),
                    name: String((0..<count).map { _ in "aé漢👩‍🚀 ".randomElement(using: &random)! }),
                    count: Int.random(in: -70_000...70_000, using: &random), isUrgent: .random(using: &random),
                    payload: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }))
        }
    }

    @Test func `lengths come back around every edge of their coding`() throws {
        for length in Array(0...300) + [8_220, 16_382, 16_383, 16_384, 16_415, 16_416, 100_000] {
            try roundTrip([String(repeating: "x", count: length)])
            try roundTrip(["k": [UInt8](repeating: 7, count: length)])
            try roundTrip((0..<min(length, 5000)).map { [$0] })
        }
    }

    @Test func `equal values are equal bytes, and a name is written once`() throws {
        let orders = (0..<50).map { Order(id: UInt64($0), name: "n", count: 1, isUrgent: false, payload: []) }
        let bytes = try WireEncoder().encode(orders)
        #expect(try WireEncoder().encode(orders) == bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.ranges(of: "isUrgent").count == 1)
        // Head, five names of a byte, five values of one or two bytes.
        #expect(bytes.count < 50 * 15 + 60)
    }

    @Test func `a message can follow others in one buffer`() throws {
        var bytes: [UInt8] = [0xEE]
        try WireEncoder().encodeCounted("one", into: &bytes)
        try WireEncoder().encodeCounted(Everything(), into: &bytes)
        try WireEncoder().encodeCounted([Int](repeating: 1 << 40, count: 3000), into: &bytes)
        var rest = bytes.dropFirst()
        #expect(try WireDecoder().decodeCounted(String.self, from: &rest) == "one")
        #expect(try WireDecoder().decodeCounted(Everything.self, from: &rest) == Everything())
        #expect(try WireDecoder().decodeCounted([Int].self, from: &rest) == [Int](repeating: 1 << 40, count: 3000))
        #expect(rest.isEmpty)
        #expect(wireError { _ = try WireDecoder().decodeCounted(Int.self, from: &rest) }?.code == .malformed)
    }

    @Test func `on an error the buffer is as it was`() {
        struct Refuses: Encodable {
            struct No: Error {}
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(1)
                throw No()
            }
        }
        var bytes: [UInt8] = [1, 2]
        #expect(wireError { try WireEncoder().encode(["k": Refuses()], into: &bytes) }?.code == .refusedByType)
        #expect(wireError { try WireEncoder().encodeCounted([Refuses()], into: &bytes) }?.code == .refusedByType)
        #expect(bytes == [1, 2])
    }

    @Test func `values that are written by hand come back`() throws {
        try roundTrip(Handmade(first: 1, second: ["a": [1, 2]], rest: [true, false]))
        try roundTrip(Nothing())
        try roundTrip([Nothing(), Nothing()])
    }

    @Test func `classes come back with what they inherit`() throws {
        let child = Child()
        child.name = "n"
        child.age = 7
        let bytes = try WireEncoder().encode(child)
        let found = try WireDecoder().decode(Child.self, from: bytes)
        #expect(found.name == "n" && found.age == 7)
        let other = try WireDecoder().decode(SharingChild.self, from: WireEncoder().encode(SharingChild()))
        #expect(other.name == "parent" && other.age == 1)
    }

    @Test func `a type finds what the decoder was given for it`() throws {
        struct Asks: Decodable {
            let found: String
            init(from decoder: any Decoder) throws { found = decoder.userInfo[Self.key] as? String ?? "" }
            static let key = CodingUserInfoKey(rawValue: "key")!
        }
        let decoder = WireDecoder(userInfo: [Asks.key: "here"])
        #expect(try decoder.decode(Asks.self, from: WireEncoder().encode(1)).found == "here")
    }
}

/// Uses what synthesised conformances do not: nested containers, values one by one, counts.
private struct Handmade: Codable, Equatable {
    var first: Int
    var second: [String: [Int]]
    var rest: [Bool]

    enum Keys: String, CodingKey { case outer, list, map }

    init(first: Int, second: [String: [Int]], rest: [Bool]) {
        (self.first, self.second, self.rest) = (first, second, rest)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        var outer = container.nestedContainer(keyedBy: Keys.self, forKey: .outer)
        try outer.encode(second, forKey: .map)
        var list = container.nestedUnkeyedContainer(forKey: .list)
        try list.encode(first)
        try list.encodeNil()
        var inner = list.nestedUnkeyedContainer()
        for flag in rest { try inner.encode(flag) }
        var last = list.nestedContainer(keyedBy: Keys.self)
        try last.encodeNil(forKey: .map)
        #expect(list.count == 4)
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        var list = try container.nestedUnkeyedContainer(forKey: .list)
        #expect(list.count == 4 && list.currentIndex == 0)
        first = try list.decode(Int.self)
        #expect(try !container.decodeNil(forKey: .list))
        let isNil = try list.decodeNil()
        #expect(isNil)
        var inner = try list.nestedUnkeyedContainer()
        rest = []
        while !inner.isAtEnd { rest.append(try inner.decode(Bool.self)) }
        let last = try list.nestedContainer(keyedBy: Keys.self)
        #expect(try last.decodeNil(forKey: .map))
        #expect(last.allKeys == [.map] && last.contains(.map) && !last.contains(.outer))
        #expect(list.isAtEnd)
        second = try container.nestedContainer(keyedBy: Keys.self, forKey: .outer).decode(
            [String: [Int]].self, forKey: .map)
    }
}

private struct Nothing: Codable, Equatable {
    init() {}
    func encode(to encoder: any Encoder) throws {}
    init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: Order.Keys.self).allKeys
        #expect(keys.isEmpty)
    }
}

extension Order {
    fileprivate enum Keys: String, CodingKey { case id }
}

private class Parent: Codable {
    var name = "parent"
    init() {}
}

/// As Foundation's documentation has it: the superclass in a container of its own.
private final class Child: Parent {
    var age = 1
    enum Keys: String, CodingKey { case age }
    override init() { super.init() }
    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try super.encode(to: container.superEncoder())
        try container.encode(age, forKey: .age)
    }
    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        age = try container.decode(Int.self, forKey: .age)
        try super.init(from: container.superDecoder())
    }
}

/// Both in one container.
private final class SharingChild: Parent {
    var age = 1
    enum Keys: String, CodingKey { case age }
    override init() { super.init() }
    override func encode(to encoder: any Encoder) throws {
        try super.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(age, forKey: .age)
    }
    required init(from decoder: any Decoder) throws {
        age = try decoder.container(keyedBy: Keys.self).decode(Int.self, forKey: .age)
        try super.init(from: decoder)
    }
}
