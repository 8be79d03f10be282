import Testing
import WireProtocol

@Suite struct StreamCreditTests {
    @Test func `what is spent is granted again`() throws {
        var credit = SendCredit(100)
        credit.spend(100)
        #expect(credit.available == 0)
        try credit.grant(60)
        #expect(credit.available == 60)
    }

    @Test func `credit over 2 GiB, and credit for nothing, ends the connection`() {
        var credit = SendCredit(100)
        #expect(wireError { try credit.grant(SendCredit.bytesMax - 99) }?.code == .creditExceeded)
        #expect(wireError { try credit.grant(0) }?.code == .creditExceeded)
        #expect(wireError { try credit.grant(SendCredit.bytesMax - 100) } == nil)
    }

    @Test func `more than the window ends the connection`() throws {
        var window = ReceiveWindow(100)
        try window.arrived(60)
        try window.arrived(40)
        #expect(
            wireError { try window.arrived(1) } == WireError(.creditExceeded, "1 bytes of a stream, 0 were allowed"))
    }

    @Test func `credit is told by the half window`() throws {
        var window = ReceiveWindow(100)
        try window.arrived(100)
        #expect(window.read(49) == nil)
        #expect(window.allowed == 0)
        #expect(window.read(1) == 50)
        #expect(window.allowed == 50)
        #expect(window.read(50) == 50)
    }

    /// Every order of arrivals and reads of a small window: what is allowed, waits and is untold is always the window,
    /// and a peer that has no credit left always gets some when everything is read.
    @Test(arguments: 1...6)
    func `in every order the window adds up and never starves`(size: Int) throws {
        func walk(_ window: ReceiveWindow, _ waiting: Int, _ steps: Int) throws {
            #expect(window.allowed + window.untold + waiting == size)
            #expect(waiting > 0 || window.allowed > 0)
            if steps == 0 { return }
            for count in 0...window.allowed {
                var next = window
                try next.arrived(count)
                try walk(next, waiting + count, steps - 1)
            }
            for count in 0...waiting {
                var next = window
                let told = next.read(count)
                #expect(told.map { $0 > 0 } ?? true)
                try walk(next, waiting - count, steps - 1)
            }
        }
        try walk(ReceiveWindow(size), 0, size < 5 ? 5 : 4)
    }
}

@Suite struct ByteQueueTests {
    @Test func `bytes come out in order, in whatever pieces they go in and out`() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<50 {
            var queue = ByteQueue()
            var (written, read): ([UInt8], [UInt8]) = ([], [])
            for _ in 0..<200 {
                if Bool.random(using: &random) {
                    let size = [0, 1, 10, 4096, 4097, 20_000].randomElement(using: &random)!
                    let piece = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
                    queue.append(piece[...], copying: Bool.random(using: &random))
                    written += piece
                } else if let piece = queue.take(upTo: Int.random(in: 0...9000, using: &random)) {
                    #expect(!piece.isEmpty)
                    read += piece
                }
                #expect(queue.count == written.count - read.count)
                #expect(queue.isEmpty == (written.count == read.count))
            }
            while let piece = queue.take(upTo: .max) { read += piece }
            #expect(read == written)
        }
    }

    @Test func `a large piece is not copied, small ones are put together`() {
        var queue = ByteQueue()
        let large = [UInt8](repeating: 1, count: 10_000)
        queue.append(large[5...])
        #expect(queue.take(upTo: .max)?.startIndex == 5)
        for _ in 0..<1000 { queue.append([1, 2, 3]) }
        #expect(queue.take(upTo: .max)?.count == 3000)
        #expect(queue.take(upTo: .max) == nil)
    }
}
