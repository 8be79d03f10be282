import Testing
import WireProtocol

/// Two neighbouring releases run in one cluster: what each may change, tried in both directions.
@Suite struct EvolutionTests {
    private struct Old: Codable, Equatable {
        var id: Int
        var name: String
        var note: String?
        var places: [Place]
    }

    private struct Place: Codable, Equatable {
        var x: Int
    }

    private struct WiderPlace: Codable, Equatable {
        var label: String?
        var x: Int
        var y: Int?
    }

    private func reread<New: Codable>(_ value: some Encodable, as type: New.Type) throws -> New {
        try WireDecoder().decode(type, from: WireEncoder().encode(value))
    }

    private let old = Old(id: 7, name: "n", note: "t", places: [Place(x: 1), Place(x: 2)])

    @Test func `an optional field may be added`() throws {
        struct New: Codable, Equatable {
            var id: Int
            var name: String
            var note: String?
            var places: [Place]
            var added: [Int]?
        }
        let new = New(id: 7, name: "n", note: "t", places: old.places, added: [1, 2, 3])
        #expect(try reread(new, as: Old.self) == old)
        #expect(try reread(old, as: New.self) == New(id: 7, name: "n", note: "t", places: old.places, added: nil))
    }

    @Test func `an optional field may be removed`() throws {
        struct New: Codable, Equatable {
            var id: Int
            var name: String
            var places: [Place]
        }
        let new = New(id: 7, name: "n", places: old.places)
        #expect(try reread(old, as: New.self) == new)
        #expect(try reread(new, as: Old.self) == Old(id: 7, name: "n", note: nil, places: old.places))
    }

    @Test func `fields may change places`() throws {
        struct New: Codable, Equatable {
            var places: [Place]
            var note: String?
            var name: String
            var id: Int
        }
        let new = New(places: old.places, note: "t", name: "n", id: 7)
        #expect(try reread(old, as: New.self) == new)
        #expect(try reread(new, as: Old.self) == old)
    }

    @Test func `all of it holds inside of lists and records`() throws {
        struct New: Codable, Equatable {
            var id: Int
            var name: String
            var places: [WiderPlace]
        }
        let wide = [WiderPlace(label: "l", x: 1, y: 5), WiderPlace(label: nil, x: 2, y: nil)]
        #expect(try reread(New(id: 7, name: "n", places: wide), as: Old.self).places == old.places)
        #expect(
            try reread(old, as: New.self).places
                == [WiderPlace(label: nil, x: 1, y: nil), WiderPlace(label: nil, x: 2, y: nil)])
    }

    @Test func `a field may become optional, and nil is then missing to the old`() throws {
        struct New: Codable {
            var id: Int
            var name: String?
            var places: [Place]
        }
        #expect(try reread(old, as: New.self).name == "n")
        #expect(try reread(New(id: 7, name: "m", places: []), as: Old.self).name == "m")
        let error = wireError { _ = try reread(New(id: 7, name: nil, places: []), as: Old.self) }
        #expect(error == WireError(.missingField, "no field name"))
    }

    @Test func `a field that is not optional may not be added`() throws {
        struct New: Codable {
            var id: Int
            var added: Int
        }
        #expect(wireError { _ = try reread(old, as: New.self) } == WireError(.missingField, "no field added"))
    }

    @Test func `a number may become wider, and narrower while its values fit`() throws {
        struct Narrow: Codable, Equatable {
            var a: Int16
            var b: Float
            var c: [UInt8]
        }
        struct Wide: Codable, Equatable {
            var a: Int64
            var b: Double
            var c: [Int]
        }
        let narrow = Narrow(a: -300, b: 0.5, c: [1, 200])
        let wide = Wide(a: -300, b: 0.5, c: [1, 200])
        #expect(try reread(narrow, as: Wide.self) == wide)
        #expect(try reread(wide, as: Narrow.self) == narrow)
        for value in [
            Wide(a: 40_000, b: 0.5, c: []), Wide(a: 1, b: 0.1, c: []), Wide(a: 1, b: 0.5, c: [1, 256]),
            Wide(a: 1, b: 0.5, c: [-1]),
        ] {
            #expect(wireError { _ = try reread(value, as: Narrow.self) }?.code == .numberOutOfRange)
        }
    }

    @Test func `an enum case may be added, and is a typed error to the old`() throws {
        enum OldKind: Codable, Equatable {
            case one
            case two(Int)
        }
        enum NewKind: Codable, Equatable {
            case one
            case two(Int, why: String? = nil)
            case three(String)
        }
        #expect(try reread(NewKind.one, as: OldKind.self) == .one)
        #expect(try reread(NewKind.two(5, why: "w"), as: OldKind.self) == .two(5))
        #expect(try reread(OldKind.two(5), as: NewKind.self) == .two(5))
        #expect(
            wireError { _ = try reread(NewKind.three("x"), as: OldKind.self) } == WireError(.unknownCase, "case three"))
        let error = wireError { _ = try reread([["k": NewKind.three("x")]], as: [[String: OldKind]].self) }
        #expect(error == WireError(.unknownCase, "case three (at 0.k)"))
    }

    @Test func `a raw value without a case is a typed error`() throws {
        enum OldColor: String, Codable { case red }
        enum NewColor: String, Codable { case red, blue }
        #expect(try reread(NewColor.red, as: OldColor.self) == .red)
        #expect(wireError { _ = try reread(NewColor.blue, as: OldColor.self) }?.code == .unknownCase)
        #expect(wireError { _ = try reread(["k": NewColor.blue], as: [String: OldColor].self) }?.code == .unknownCase)
    }

    @Test func `lists of numbers are lists of numbers, however either side holds them`() throws {
        struct Wrapped: Codable, Equatable, RawRepresentable { var rawValue: Int }
        #expect(try reread([3, 1, 2], as: Set<Int>.self) == [1, 2, 3])
        #expect(try reread(Set([5]), as: [Int].self) == [5])
        #expect(try reread([1, -2, 300], as: [Wrapped].self) == [1, -2, 300].map { Wrapped(rawValue: $0) })
        #expect(try reread([Wrapped(rawValue: 9)], as: [Int8].self) == [9])
        #expect(try reread([1, 2] as [UInt8], as: [Wrapped].self) == [1, 2].map { Wrapped(rawValue: $0) })
        #expect(try reread([1, 2] as [UInt8], as: ContiguousArray<UInt8>.self) == [1, 2])
        #expect(try reread(ContiguousArray<UInt8>([1, 2]), as: [UInt8].self) == [1, 2])
        #expect(try reread([0.5, 1] as [Float], as: [Double].self) == [0.5, 1])
        #expect(try reread([0.5, 1] as [Double], as: [Float].self) == [0.5, 1])
        #expect(try reread([0.5, 1] as [Double], as: Set<Double>.self) == [0.5, 1])
        #expect(try reread([1, nil] as [Int?], as: [Int?].self) == [1, nil])
        #expect(wireError { _ = try reread([1, nil] as [Int?], as: [Int].self) }?.code == .wrongType)
        #expect(wireError { _ = try reread([0.5] as [Double], as: [Int].self) }?.code == .wrongType)
        #expect(wireError { _ = try reread([1], as: [Double].self) }?.code == .wrongType)
        #expect(wireError { _ = try reread([1], as: [String].self) }?.code == .wrongType)
        #expect(wireError { _ = try reread([1], as: [[Int]].self) }?.code == .wrongType)
    }

    @Test func `every other change of kind is a typed error that says where`() throws {
        struct Holder<Value: Codable>: Codable { var outer: [Value] }
        let error = wireError { _ = try reread(Holder(outer: [1, 2]), as: Holder<String>.self) }
        #expect(error == WireError(.wrongType, "String was asked for, unsigned is there (at outer.0)"))
        #expect(wireError { _ = try reread("x", as: Int.self) }?.code == .wrongType)
        #expect(wireError { _ = try reread(1, as: String.self) }?.code == .wrongType)
        #expect(wireError { _ = try reread(1, as: Bool.self) }?.code == .wrongType)
        #expect(wireError { _ = try reread(true, as: Int.self) }?.code == .wrongType)
        #expect(wireError { _ = try reread(1, as: Double.self) }?.code == .wrongType)
        #expect(wireError { _ = try reread(1, as: Old.self) }?.code == .wrongType)
        #expect(wireError { _ = try reread(old, as: Int.self) }?.code == .wrongType)
        #expect(wireError { _ = try reread(old, as: [Int].self) }?.code == .wrongType)
        #expect(wireError { _ = try reread([Int?.none], as: [Old].self) }?.code == .wrongType)
    }
}
