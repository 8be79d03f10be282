import Testing
import WireProtocol

@Suite struct StreamExchangeTests {
    /// Random writes, reads, ends and departures on both sides: every byte arrives in order or the stream is broken
    /// off, memory stays within the limits, and in the end nothing is left.
    @Test(arguments: 1...20)
    func `whatever both sides do, bytes arrive in order and nothing is left`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var limits = WireLimits()
        limits.streamWindowBytes = [1, 10, 1000, 50_000].randomElement(using: &random)!
        limits.streamChunkBytesMax = [1, 7, 4096].randomElement(using: &random)!
        limits.streamOutboundBytesMax = [1, 100, 10_000].randomElement(using: &random)!
        // As many as are opened at all: a refused stream would lose what its writer has left behind.
        limits.streamsMax = 40
        var pair = StreamPair(limits, limits)
        var written: [UInt32: [UInt8]] = [:]
        var read: [UInt32: [UInt8]] = [:]
        var (finished, ended, left): (Set<UInt32>, Set<UInt32>, Set<UInt32>) = ([], [], [])
        for _ in 0..<4000 {
            let id = written.keys.sorted().randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                if written.count < 40, let new = pair.dialler.open(purpose: []) { written[new] = [] }
            case 1..<4 where id > 0 && !finished.contains(id) && !left.contains(id):
                let piece = (0..<Int.random(in: 0...3000, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                if case .took(let count) = pair.dialler.write(piece[...], to: id) {
                    written[id]! += piece.prefix(count)
                }
            case 4 where id > 0 && !left.contains(id):
                if Int.random(in: 0..<4, using: &random) == 0, finished.insert(id).inserted { pair.dialler.finish(id) }
            case 5 where id > 0:
                if finished.contains(id), left.insert(id).inserted { _ = pair.dialler.release(id) }
            case 6..<8:
                switch pair.accepter.read(id) {
                case .bytes(let piece): read[id, default: []] += piece
                case .end: if ended.insert(id).inserted { _ = pair.accepter.release(id) }
                case .nothingYet, .broken: break
                }
            case 8..<10: _ = try pair.stepForward()
            default: _ = try pair.stepBack()
            }
            for id in written.keys {
                #expect(pair.accepter.waitingBytes(id)?.inbound ?? 0 <= limits.streamWindowBytes)
                #expect(pair.dialler.waitingBytes(id)?.outbound ?? 0 <= limits.streamOutboundBytesMax)
            }
            #expect(pair.dialler.waitingFrames <= pair.dialler.count + 200)
        }
        for id in written.keys {
            if finished.insert(id).inserted { pair.dialler.finish(id) }
            if left.insert(id).inserted { _ = pair.dialler.release(id) }
        }
        var rounds = 0
        while pair.dialler.count > 0 || pair.accepter.count > 0, rounds < 500_000 {
            rounds += 1
            try pair.settle()
            for id in written.keys where !ended.contains(id) {
                read[id, default: []] += pair.accepter.readAll(id)
                if pair.accepter.read(id) == .end, ended.insert(id).inserted { _ = pair.accepter.release(id) }
            }
        }
        #expect(pair.dialler.count == 0 && pair.accepter.count == 0)
        for (id, bytes) in written { #expect(read[id] ?? [] == bytes, "stream \(id)") }
        #expect(ended.count == written.count)
    }
}
