/// Messages for several types: what is understood is written back and understood again, as the same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer's bytes, for the time of this call.
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    check(Shape.self, input)
    check(Verdict.self, input)
    check([Verdict].self, input)
    check([[Int16]].self, input)
    check([Float].self, input)
    check([String].self, input)
    check([Int?].self, input)
    check(Numbers.self, input)
    check(Tree.self, input)
    return 0
}

private struct Point: Codable {
    var x: Int
    var y: Int8
}

private struct Shape: Codable {
    var name: String
    var points: [Point]
    var note: String?
    var payload: [UInt8]?
}

private enum Verdict: Codable {
    case granted(Int, note: String)
    case nothing
}

private struct Numbers: Codable {
    var a: UInt128?
    var b: Int128?
    var c: Double?
    var d: Float?
    var e: [Double]?
    var f: UInt8?
    var g: Bool?
}

private indirect enum Tree: Codable {
    case leaf
    case node([Tree])
}

private func check<Value: Codable>(_ type: Value.Type, _ input: [UInt8]) {
    var limits = CodingLimits()
    limits.elementsMax = 4096
    guard let value = try? WireDecoder(limits: limits).decode(type, from: input) else { return }
    do {
        let once = try WireEncoder().encode(value)
        let twice = try WireEncoder().encode(WireDecoder().decode(type, from: once))
        precondition(once == twice, "\(value) has two forms")
    } catch {
        preconditionFailure("\(value) is not understood again: \(error)")
    }
}
