import ClipModel
import Foundation
import SystemPackage

/// The body of `tijera speech-worker --model PATH`: a child of a node that holds a warm model and transcribes what it
/// is told on standard input, one request at a time, until that ends.
///
/// Everything that can go wrong in a recogniser (a crash in C, a leak, a loop) happens here, where the node can end it.
/// It is single-threaded on purpose: orders that come in while the model computes are read from inside whisper.cpp's
/// own "should I stop?" callback, so that there is no lock and no second thread to get wrong.
package enum SpeechWorker {
    /// Exit codes. A node tells them from crashes.
    package enum Ending: Int32, Sendable {
        case finished = 0
        case usage = 64
        case modelMissing = 3
        case modelBroken = 4
        case brokenFrame = 5
    }

    /// `arguments`: what follows `speech-worker` on the command line. Returns the exit code.
    package static func main(arguments: [String]) -> Int32 {
        guard arguments.count == 2, arguments[0] == "--model" else {
            complain(
                "usage: tijera speech-worker --model PATH (started by a node, speaks frames on its standard input)")
            return Ending.usage.rawValue
        }
        WhisperModel.silenceLogs()
        do {
            let output = try ownOutput()
            let model = try WhisperModel(path: arguments[1])
            var worker = SpeechSession(input: .standardInput, output: output)
            return try worker.run(model).rawValue
        } catch let error as MediaError {
            complain(error.description)
            return (error.code == .speechModelMissing ? Ending.modelMissing : .modelBroken).rawValue
        } catch {
            complain("\(error)")
            return Ending.brokenFrame.rawValue
        }
    }

    /// The pipe to the node, moved away from descriptor 1: a stray line that some library prints goes to standard error
    /// instead of into the middle of a frame.
    private static func ownOutput() throws -> FileDescriptor {
        let output = try FileDescriptor.standardOutput.duplicate()
        _ = try FileDescriptor.standardError.duplicate(as: .standardOutput)
        return output
    }

    private static func complain(_ text: String) {
        // Nothing is left to tell it to when this fails.
        _ = try? FileDescriptor.standardError.writeAll(Array((text + "\n").utf8))
    }
}
