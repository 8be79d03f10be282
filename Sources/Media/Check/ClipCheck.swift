package import ClipModel

/// Measures a rendered file: what was promised is looked for in what was made, not in the command line that made it.
package struct ClipCheck {
    /// The sound's share of the work.
    private static let soundShare = 0.1

    /// `facts`, `clip`, `size` and `framing` are those the clip was rendered with. `captionsOverFaces` is what its
    /// captions hide, which cannot be seen in the picture.
    package static func run(
        path: String, facts: VideoFacts, clip: TimeRange, size: PixelSize, framing: Framing,
        captionsOverFaces: Double? = nil,
        faceModelPath: String, toolbox: Toolbox, threads: Int, progress: @Sendable (Double) -> Void = { _ in }
    ) async throws(MediaError) -> ClipVerdict {
        let rate = FrameRate.ofClip(sourceAverage: facts.framesPerSecond)
        let expected = ClipVerdict.Expectation(
            size: size, rate: rate, frameCount: max(1, rate.frames(in: clip.duration)))
        let limits = toolbox.configuration.passLimits(overSeconds: clip.duration)
        let probed = try await toolbox.run(
            ClipStreams.command(path: path, limits: toolbox.configuration.probeLimits)
        ).checked(otherwise: .clipRejected)
        let streams = try ClipStreams(fromJSON: probed.standardOutput)
        let loudness = try await LoudnessMeter.run(LoudnessMeter.command(path: path, limits: limits), toolbox: toolbox)
        progress(soundShare)
        let picture = try await PictureScan.run(
            path: path, size: PixelSize(width: streams.width, height: streams.height),
            durationSeconds: streams.durationSeconds, faceModelPath: framing.faces.isEmpty ? nil : faceModelPath,
            threads: threads, toolbox: toolbox
        ) { progress(soundShare + (1 - soundShare) * $0) }
        let measured = ClipMeasurements(
            streams: streams, isIndexFirst: try IndexPlace.isFirst(path: path), loudness: loudness, picture: picture,
            framing: framing, sourceSize: facts.displaySize, captionsOverFaces: captionsOverFaces)
        progress(1)
        return ClipVerdict(measured, expected: expected)
    }
}
