/// A stranger's first bytes, to an accepter and to a dialler, whole and byte by byte: the verdict is the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer's bytes, for the time of this call.
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    for role in [Handshake.Role.accepter, .dialler(LaneNumber(.call), expecting: nil)] {
        let whole = verdict(role, input, pieceBytes: max(1, input.count))
        let pieces = verdict(role, input, pieceBytes: 3)
        precondition(whole == pieces, "\(whole) at once, \(pieces) in pieces")
    }
    return 0
}

private let local = LocalIdentity(
    cluster: "charla", life: PeerLife(name: "node-b", epoch: 7), calls: CallList(["$sA", "$sC"]),
    placementAlgorithm: "wrh-1")

private func verdict(_ role: Handshake.Role, _ input: [UInt8], pieceBytes: Int) -> String {
    var handshake = Handshake(role, local: local, certifiedNames: ["node-a"], now: .zero)
    var outbound: [UInt8] = []
    var rest = input[...]
    while !rest.isEmpty {
        let piece = Array(rest.prefix(pieceBytes))
        rest = rest.dropFirst(piece.count)
        let progress = handshake.received(piece, replyingInto: &outbound) { hello in
            precondition(hello.life.name == "node-a", "\(hello.life.name) is not certified")
            return hello.life.epoch < 5 ? .olderEpoch(hello.life, known: 5) : nil
        }
        precondition(outbound.count < 4096, "\(outbound.count) bytes are answered")
        switch progress {
        case .waiting: continue
        // No whole values: describing them by reflection takes longer than the handshake.
        case .established(let session):
            return "established \(session.peer.name) \(session.peer.epoch) \(session.lane.lane.rawValue) "
                + "\(session.lane.number) \(session.allowance.frameBytesMax) \(session.allowance.streamsMax)"
        case .rejected(let rejection): return "rejected \(rejection.code.rawValue) \(rejection.text)"
        case .turnedAway(let goAway): return "turned away \(goAway)"
        }
    }
    return "waiting"
}
