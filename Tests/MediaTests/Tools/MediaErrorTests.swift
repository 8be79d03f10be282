import ClipModel
import Media
import Testing

@Suite struct MediaErrorTests {
    @Test(arguments: MediaError.Code.allCases)
    func `every code has a reason and a hint and hides its detail`(code: MediaError.Code) {
        let failure = MediaError(code, "/secret/path").failure
        #expect(failure.code == code.rawValue)
        #expect(failure.reason.hasSuffix(".") && failure.hint.hasSuffix(".") || failure.hint.hasSuffix(")."))
        #expect(!failure.description.contains("/secret/path"))
    }

    @Test func `no two codes say the same`() {
        let reasons = Set(MediaError.Code.allCases.map { MediaError($0).failure.reason })
        #expect(reasons.count == MediaError.Code.allCases.count)
    }

    @Test func `a cancelled tool does not count as a failure`() {
        #expect(MediaError(.cancelled).failure.class == .cancelled)
    }

    @Test(arguments: [
        (ToolOutput.Ending.exited(code: 1), "x: Cannot allocate memory", MediaError.Code.memoryLimit),
        (.exited(code: 1), "av_interleaved_write_frame(): No space left on device", .diskFull),
        (.exited(code: 1), "Invalid data found", .toolFailed),
        // ffmpeg ends with success when only the end of a file did not fit.
        (.exited(code: 0), "Error writing trailer of clip.mp4: No space left on device", .diskFull),
        (.exited(code: 0), "Error closing file: Input/output error", .toolFailed),
        (.signalled(6), "terminate called after throwing an instance of 'std::bad_alloc'", .memoryLimit),
        (.signalled(11), "", .toolFailed), (.signalled(9), "", .toolKilled), (.signalled(24), "", .cpuLimit),
    ])
    func `the ending and the last words tell why`(
        ending: ToolOutput.Ending, words: String, expected: MediaError.Code
    ) throws {
        let error = #expect(throws: MediaError.self) { try ToolOutput(ending: ending, errorTail: words).checked() }
        #expect(error?.code == expected)
    }
}
