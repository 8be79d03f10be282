import ClipModel
import Media
import Testing

@Suite struct SpeechFrameTests {
    private let reports: [SpeechReport] = [
        .ready, .progress(id: 7, fraction: 0.5), .failed(id: nil, code: "speech_failed", detail: "ñ"),
        .transcribed(
            id: 7,
            chunk: TranscribedChunk(
                words: [SpeechSamples.word("¿Qué?", 1, 2)], language: "es", languageProbability: 0.9,
                retriedWindows: 1)),
    ]

    @Test(arguments: [1, 3, 7, 4096])
    func `frames arrive whole however the bytes are cut`(pieceBytes: Int) throws {
        let stream = reports.flatMap { SpeechFrame.bytes(of: $0) }
        var reader = SpeechFrame.Reader()
        var found: [SpeechReport] = []
        for start in stride(from: 0, to: stream.count, by: pieceBytes) {
            for body in try reader.take(stream[start..<min(stream.count, start + pieceBytes)]) {
                found.append(try SpeechFrame.decode(SpeechReport.self, from: body))
            }
        }
        #expect(found == reports)
    }

    @Test func `orders cross unchanged`() throws {
        let request = TranscriptionRequest(
            pcmPath: "/x/y.wav", chunk: TimeRange(start: 1, end: 2), language: "es", keywords: ["clave"])
        for order in [SpeechOrder.transcribe(id: 1, request: request, threads: 2), .cancel(id: 1)] {
            var reader = SpeechFrame.Reader()
            let bodies = try reader.take(SpeechFrame.bytes(of: order))
            #expect(try bodies.map { try SpeechFrame.decode(SpeechOrder.self, from: $0) } == [order])
        }
    }

    @Test func `a frame over the limit is refused before it is waited for`() {
        var reader = SpeechFrame.Reader(bytesMax: 100)
        #expect(throws: SpeechFrame.Defect.tooLong(bytes: 101, bytesMax: 100)) { try reader.take([0, 0, 0, 101]) }
    }

    @Test func `what is not a report is refused`() {
        #expect(throws: SpeechFrame.Defect.self) {
            try SpeechFrame.decode(SpeechReport.self, from: Array(#"{"sing":{}}"#.utf8))
        }
    }
}
