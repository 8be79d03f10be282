import ClipModel
import Foundation
import Synchronization

/// Makes one clip: its sound first, then one run over the picture that takes the finished sound along.
package struct Renderer {
    /// What the sound's runs cost of the whole, for the progress that people see.
    private static let soundShare = 0.1

    /// What was done to the sound, for the log.
    package struct Outcome: Hashable, Sendable {
        package var source: LoudnessReading
        package var gain: SoundGain
        package var loudness: LoudnessReading
    }

    /// Leaves the clip at `plan.outputPath`, and nothing else, whether it succeeds, fails or is cancelled; a file that
    /// stands there is overwritten.
    @discardableResult
    package static func run(
        _ plan: RenderPlan, toolbox: Toolbox, progress: @Sendable (Double) -> Void = { _ in }
    ) async throws(MediaError) -> Outcome {
        let limits = toolbox.configuration.passLimits(overSeconds: plan.readSeconds)
        let sound = SoundPlan(plan, limits: limits)
        defer { remove([sound.bedPath, sound.encodedPath]) }
        do {
            let outcome = try await makeSound(sound, toolbox: toolbox)
            progress(soundShare)
            try await makePicture(plan, sound: sound, limits: limits, toolbox: toolbox) { fraction in
                progress(soundShare + (1 - soundShare) * fraction)
            }
            return outcome
        } catch {
            remove([plan.outputPath])
            throw error
        }
    }

    private static func makeSound(_ sound: SoundPlan, toolbox: Toolbox) async throws(MediaError) -> Outcome {
        let source = try await LoudnessMeter.run(sound.bedCommand, toolbox: toolbox)
        var control = LoudnessControl(source: source)
        var outcome = Outcome(source: source, gain: SoundGain(gainDB: 0), loudness: source)
        var action = control.start()
        while true {
            switch action {
            case .attempt(let gain):
                action = control.tried(try await LoudnessMeter.run(sound.trialCommand(gain), toolbox: toolbox))
            case .encode(let gain):
                let output = try await toolbox.run(sound.encodeCommand(gain))
                _ = try output.checked(otherwise: .renderFailed)
                let measure = LoudnessMeter.command(path: sound.encodedPath, limits: sound.limits)
                let reading = try await LoudnessMeter.run(measure, toolbox: toolbox)
                outcome = Outcome(source: source, gain: gain, loudness: reading)
                action = control.encoded(reading)
            case .finish: return outcome
            }
        }
    }

    private static func makePicture(
        _ plan: RenderPlan, sound: SoundPlan, limits: ToolLimits, toolbox: Toolbox,
        progress: @Sendable (Double) -> Void
    ) async throws(MediaError) {
        let report = Mutex(PictureReport(expectedSeconds: plan.durationSeconds))
        let command = plan.pictureCommand(soundPath: sound.encodedPath, limits: limits)
        let output = try await toolbox.run(command) { line in
            if let fraction = report.withLock({ $0.read(line) }) { progress(fraction) }
        }
        _ = try output.checked(otherwise: .renderFailed)
        let frames = report.withLock { $0.frames }
        guard frames == plan.frameCount else {
            // ffmpeg ends well when a decoder gave up. The picture is padded at its end, so too few frames means none.
            throw MediaError(
                .renderFailed, "\(frames) of \(plan.frameCount) frames were written: \(output.errorTail.suffix(500))")
        }
    }

    private static func remove(_ paths: [String]) {
        // A file that is not there is what is wanted; any other that stays is swept with its directory.
        for path in paths { try? FileManager.default.removeItem(atPath: path) }
    }
}

/// What ffmpeg reports while it makes the picture: how far it is, and how many frames it wrote.
struct PictureReport: Hashable, Sendable {
    private var progress: FFmpegProgress
    private(set) var frames = 0

    init(expectedSeconds: Double) { progress = FFmpegProgress(expectedSeconds: expectedSeconds) }

    mutating func read(_ line: some StringProtocol) -> Double? {
        let key = "frame="
        if line.hasPrefix(key), let count = Int(line.dropFirst(key.count).trimmingSpaces) { frames = count }
        return progress.read(line)
    }
}
